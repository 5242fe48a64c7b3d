import { describe, expect, it } from 'vitest';
import type { InstanceView } from '../../../shared/core/group/group.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { podStatusFromGroup, wantedTails, withTails } from '../../../shared/core/status/status.ts';
import { makeGroup, makePod, noon, running, terminated } from '../../fixtures/pods.ts';

const withPolicy = (policy: string, pod: Pod = makePod()): Pod => ({
  ...pod,
  rawSpec: { containers: [{ name: 'main', terminationMessagePolicy: policy }] },
});
const falling = withPolicy('FallbackToLogsOnError');
const statusOf = (pod: Pod, view: InstanceView) =>
  podStatusFromGroup({ pod, group: makeGroup('Running', view), hostIP: '10.0.0.7', now: noon + 60_000 });

describe('the end of a log is wanted', () => {
  const failed = terminated(3);
  const killed: InstanceView = {
    restartCount: 0,
    currentState: { state: 'Terminated', exitCode: 137, detailStatus: 'OOMKilled: too much' },
    events: [],
  };
  const restarting: InstanceView = {
    restartCount: 1,
    currentState: { state: 'Waiting', detailStatus: 'CrashLoopBackOff' },
    previousState: { state: 'Terminated', exitCode: 3, detailStatus: 'Error' },
    events: [],
  };
  const always = withPolicy('FallbackToLogsOnError', makePod({ spec: { restartPolicy: 'Always' } }));
  it.each<[string, Pod, InstanceView, boolean]>([
    ['of a container that failed', falling, failed, true],
    ['of one that waits for its next run', always, restarting, true],
    ['not of one that runs again: its log is of that run', always, { ...running(20), restartCount: 1 }, false],
    ['not of one that succeeded', falling, terminated(0), false],
    ['not of one that runs', falling, running(1), false],
    ['not where ACI reports something itself', falling, killed, false],
    ['not by the policy File', withPolicy('File'), failed, false],
    ['not once it is reported', { ...falling, status: statusOf(falling, failed) }, failed, false],
  ])('%s', (_, pod, view, isWanted) => expect(wantedTails(pod, statusOf(pod, view))).toEqual(isWanted ? ['main'] : []));
});

describe('it becomes the message', () => {
  const messageOf = (tail: string, view = terminated(3)): string | undefined => {
    const [main] = withTails(statusOf(falling, view), new Map([['main', tail]])).containerStatuses;
    return main?.state.kind === 'terminated' ? main.state.message : undefined;
  };
  it.each([
    ['as it is', 'boom\n', 'boom\n'],
    ['but not an empty one', '', undefined],
    ['in its last 80 lines', 'x\n'.repeat(100), 'x\n'.repeat(80)],
    ['in its last 2,048 bytes', 'y'.repeat(3000), 'y'.repeat(2048)],
    ['in whole characters', `${'é'.repeat(2000)}x`, `${'é'.repeat(1023)}x`],
  ])('%s', (_, tail, message) => expect(messageOf(tail)).toBe(message));

  it('and stays at the next poll', () => {
    const reported = { ...falling, status: withTails(statusOf(falling, terminated(3)), new Map([['main', 'boom']])) };
    expect(statusOf(reported, terminated(3)).containerStatuses[0]?.state).toMatchObject({ message: 'boom' });
  });
});
