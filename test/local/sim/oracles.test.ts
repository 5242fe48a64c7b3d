import { describe, expect, it } from 'vitest';
import { unsettledOver } from '../../../infra/local/sim/oracles/at-rest.ts';
import { PodStories } from '../../../infra/local/sim/oracles/pod-stories.ts';
import type { PodStory } from '../../../infra/local/sim/oracles/pod-stories.ts';
import { checkRemoval } from '../../../infra/local/sim/oracles/removal.ts';
import { findSecondRuns } from '../../../infra/local/sim/oracles/second-runs.ts';
import { SecretWatch } from '../../../infra/local/sim/oracles/secrets.ts';
import { isTrue } from '../../../infra/local/sim/oracles/true-status.ts';
import type { Report } from '../../../infra/local/sim/oracles/violation.ts';
import { createMemoryContainerGroups } from '../../../infra/local/sim/memory-container-groups.ts';
import type { ContainerRun } from '../../../infra/local/sim/group-life.ts';
import { groupTags } from '../../../shared/core/group/identity.ts';
import type { ContainerStatus, Pod, PodPhase, RestartPolicy } from '../../../shared/core/kubernetes/pod.ts';
import { newPodRow } from '../../../shared/core/reconcile/pod-row.ts';
import { groupBody } from '../../fixtures/group-body.ts';
import { at, mainRuns, makePod, noon } from '../../fixtures/pods.ts';

function listen(): { readonly said: string[]; readonly report: Report } {
  const said: string[] = [];
  return { said, report: (oracle, text) => void said.push(`${oracle} ${text}`) };
}

const ended = (exitCode: number, restartCount = 0): ContainerStatus => ({
  ...mainRuns,
  restartCount,
  state: {
    kind: 'terminated',
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    startedAt: at(1),
    finishedAt: at(5),
  },
});
const shows = (phase: PodPhase, status: ContainerStatus = mainRuns, restartPolicy: RestartPolicy = 'Never'): Pod =>
  makePod({ spec: { restartPolicy }, status: { phase, containerStatuses: [status] } });

describe('a pod as it is seen over time', () => {
  it.each<[string, readonly Pod[], readonly string[]]>([
    ['runs and ends', [shows('Pending'), shows('Running'), shows('Failed', ended(3))], []],
    ['goes back', [shows('Running'), shows('Pending')], ['O4 phase goes from Running to Pending']],
    [
      'fails after it has succeeded',
      [shows('Succeeded', ended(0)), shows('Failed', ended(0))],
      ['O4 phase goes from Succeeded to Failed'],
    ],
    [
      'forgets a restart',
      [shows('Running', { ...mainRuns, restartCount: 2 }), shows('Running', { ...mainRuns, restartCount: 1 })],
      ['O4 restartCount of main falls'],
    ],
    ['runs again as its policy says', [shows('Running', ended(3), 'Always'), shows('Running', mainRuns, 'Always')], []],
    [
      'runs again under Never',
      [shows('Running', ended(3)), shows('Running')],
      [`O3 main ended with 3 at ${at(5)}, and later running`],
    ],
    [
      'changes its exit code',
      [shows('Running', ended(0), 'OnFailure'), shows('Running', ended(1), 'OnFailure')],
      [`O3 main ended with 0 at ${at(5)}, and later 1 at ${at(5)}`],
    ],
  ])('%s', (_what, sights, expected) => {
    const { said, report } = listen();
    const stories = new PodStories({ now: () => noon, report });
    for (const pod of sights) stories.see('modified', pod);
    expect(said).toEqual(expected);
  });

  it('is gone with its object, by another hand when its end was not reported', () => {
    const stories = new PodStories({ now: () => noon, report: () => undefined });
    stories.see('deleted', shows('Running'));
    expect([...stories.all.values()]).toMatchObject([{ deletedAt: noon, goneAt: noon, wasForced: true }]);
  });
});

describe('what is left of a pod that is over', () => {
  const story = (goneAt?: number): PodStory => ({
    uid: 'u',
    pod: shows('Succeeded', ended(0)),
    deletedAt: goneAt,
    goneAt,
    wasForced: false,
    lastWords: new Map(),
  });
  const row = newPodRow({ namespace: 'default', name: 'p', uid: 'u', group: 'g' });
  it.each([
    ['gone, and nothing is left', story(noon), { row: undefined, groups: [] }, undefined],
    ['gone, and its group is there', story(noon), { row: undefined, groups: ['g'] }, 'a group of a pod that is gone'],
    ['gone, and its row is there', story(noon), { row, groups: [] }, 'a row of a pod that is gone'],
    ['ended and settled, with its group', story(), { row: { ...row, settled: true }, groups: ['g'] }, undefined],
    ['ended, and not settled', story(), { row, groups: ['g'] }, 'its end is not settled'],
  ] as const)('%s', (_what, of, held, expected) => {
    expect(unsettledOver(of, { ...held, alive: [] })).toBe(expected);
  });
});

describe('the object of a pod goes last', () => {
  it.each<[PodPhase, boolean, readonly string[]]>([
    ['Succeeded', false, []],
    ['Succeeded', true, ['O1 a pod is removed while its group is there']],
    ['Running', false, ['O3 a pod is removed in phase Running']],
  ])('%s, its group is there: %s', (phase, hasGroup, expected) => {
    const { said, report } = listen();
    checkRemoval(shows(phase), hasGroup, report);
    expect(said).toEqual(expected);
  });
});

describe('a secret', () => {
  it('is found in text and in JSON, and reported once for each place of a pod', () => {
    const { said, report } = listen();
    const watch = new SecretWatch(/planted/, report);
    watch.see('a row', 'nothing');
    watch.see('a row', undefined);
    for (const uid of ['a', 'a', 'b']) watch.see('an event', { message: 'planted-1' }, uid);
    expect(said).toEqual(Array.from({ length: 2 }, () => 'O5 a secret is in an event: {"message":"planted-1"}'));
  });
});

describe('what a status says of a run', () => {
  const run: ContainerRun = {
    group: 'g',
    tags: {},
    container: 'main',
    isInit: false,
    startedAt: noon + 1_400,
    end: 'exited',
    endedAt: noon + 5_900,
    exitCode: 3,
  };
  const end = { kind: 'terminated', reason: 'Error', startedAt: at(1), finishedAt: at(5) } as const;
  it.each([
    ['waits', { kind: 'waiting', reason: 'PodInitializing' }, true],
    ['runs since then', { kind: 'running', startedAt: at(1) }, true],
    ['runs since another time', { kind: 'running', startedAt: at(2) }, false],
    ['ended so', { ...end, exitCode: 3 }, true],
    ['ended with another code', { ...end, exitCode: 0 }, false],
    ['ended at another time', { ...end, exitCode: 3, finishedAt: at(6) }, false],
    ['nobody knows', { ...end, reason: 'ContainerStatusUnknown', exitCode: 137 }, true],
    ['nobody knows, and yet a code', { ...end, reason: 'ContainerStatusUnknown', exitCode: 3 }, false],
  ] as const)('%s', (_what, said, expected) => expect(isTrue(said, [run])).toBe(expected));
});

describe('a second run', () => {
  const pod = (restartPolicy: RestartPolicy): Pod => shows('Running', mainRuns, restartPolicy);
  it.each<[string, RestartPolicy, boolean, readonly string[]]>([
    ['after a PUT over it', 'Always', false, ['O2 main runs again after a run that replaced (undefined)']],
    ['after somebody took its group away', 'Always', true, []],
    ['the same under Never', 'Never', true, ['O2 main runs again after a run that removed (undefined)']],
  ])('%s', async (_what, policy, isTaken, expected) => {
    let now = noon;
    const groups = createMemoryContainerGroups({ now: () => now, images: { serves: {} } });
    const of = pod(policy);
    const owner = { installation: 'sk', cluster: 'c', node: 'aci-1', namespace: 'default', name: 'p' };
    const tags = groupTags({ ...owner, uid: of.metadata.uid }, 'hash');
    for (let put = 0; put < 2; put += 1) {
      await groups.createOrUpdate('g', groupBody({ tags }, { image: 'serves' }), new AbortController().signal);
      now += 10_000;
      if (isTaken && put === 0) groups.removeGroup('g');
      now += 10_000;
    }
    const { said, report } = listen();
    const stories = new PodStories({ now: () => now, report });
    stories.see('added', of);
    findSecondRuns(stories.all.values(), groups, report);
    expect(said).toEqual(expected);
  });
});
