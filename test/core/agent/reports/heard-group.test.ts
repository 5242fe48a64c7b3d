import { describe, expect, it } from 'vitest';
import { heardGroup } from '../../../../shared/core/agent/reports/heard-group.ts';
import type { AgentReport } from '../../../../shared/core/agent/reports/report.ts';
import type { InstanceView, ObservedState } from '../../../../shared/core/group/group.ts';
import type {
  ContainerState,
  ContainerStatus,
  Pod,
  PodStatus,
  RestartPolicy,
} from '../../../../shared/core/kubernetes/pod.ts';
import { podStatusFromGroup } from '../../../../shared/core/status/status.ts';
import { at, container, makeGroup, makePod, noon, running, terminated } from '../../../fixtures/pods.ts';
import { ended, key, memoryAfter, ms, over, report, runs, tags } from './fixtures.ts';

const second = (text: string | undefined): string =>
  text === undefined ? '?' : String((Date.parse(text) - noon) / 1000);

function shownState(state: ContainerState | undefined): string {
  switch (state?.kind) {
    case undefined:
      return '';
    case 'running':
      return `running since ${second(state.startedAt)}`;
    case 'waiting':
      return `waits: ${state.reason}`;
    case 'terminated': {
      const { exitCode, reason, message } = state;
      const said = message === undefined ? '' : ` "${message}"`;
      return `${reason} ${exitCode} from ${second(state.startedAt)} to ${second(state.finishedAt)}${said}`;
    }
  }
}

function shown({ phase, containerStatuses: [status] }: PodStatus): string {
  if (status === undefined) return phase;
  const { state, lastState, ready, started, restartCount } = status;
  const before = lastState === undefined ? [] : [`before: ${shownState(lastState)}`];
  const flags = [...(started === true ? ['started'] : []), ...(ready ? ['ready'] : [])];
  return [phase, shownState(state), ...flags, `${restartCount} restarts`, ...before].join(', ');
}

interface Seen {
  readonly policy?: RestartPolicy;
  readonly status?: Partial<ContainerStatus>;
  readonly phase?: Pod['status']['phase'];
  readonly view?: InstanceView;
  readonly reports?: readonly AgentReport[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly pod?: Parameters<typeof makePod>[0];
}

function statusOf({ policy = 'Never', status, phase, view, reports = [], ...more }: Seen): string {
  const known: ContainerStatus = {
    name: 'main',
    image: 'busybox:1.36',
    imageID: '',
    ready: false,
    restartCount: 0,
    state: { kind: 'waiting', reason: 'ContainerCreating' },
    ...status,
  };
  const pod = makePod({
    spec: { restartPolicy: policy, ...more.pod?.spec },
    status: { phase: phase ?? 'Running', ...(status && { containerStatuses: [known] }) },
  });
  const seen = makeGroup('Running', view, { tags: more.tags ?? tags });
  const group = heardGroup(pod, seen, memoryAfter(reports));
  return shown(podStatusFromGroup({ pod, group, hostIP: '10.0.0.1', now: ms(60) }));
}

const state = (word: string, more: Partial<ObservedState> = {}): ObservedState => ({
  state: word,
  detailStatus: '',
  ...more,
});
const wasRunning = { state: { kind: 'running', startedAt: at(2) }, ready: true } as const;
const boot2 = { bootId: '019ad1c0ffee-00000002' };

describe('the status of a container whose agent speaks', () => {
  it.each<[string, Seen, string]>([
    [
      'it runs before the agent has spoken, and is neither started nor ready',
      { view: running(1), phase: 'Pending' },
      'Running, running since 1, 0 restarts',
    ],
    [
      'it is what the agent says',
      { view: running(1), reports: [report(runs(2))] },
      'Running, running since 2, started, ready, 0 restarts',
    ],
    [
      'that it began a second after ACI’s start is no restart',
      { view: running(1), status: { state: { kind: 'running', startedAt: at(1) } }, reports: [report(runs(2))] },
      'Running, running since 2, started, ready, 0 restarts',
    ],
    [
      'a probe has not succeeded yet',
      { view: running(1), reports: [report(runs(2, { started: false, ready: false }))] },
      'Running, running since 2, 0 restarts',
    ],
    [
      'ACI shows nothing any more, and the status knows of a later run than the one that the agent spoke of last',
      {
        policy: 'OnFailure',
        status: {
          restartCount: 1,
          state: { kind: 'waiting', reason: 'CrashLoopBackOff' },
          lastState: { kind: 'terminated', exitCode: 3, reason: 'Error', startedAt: at(40), finishedAt: at(50) },
        },
        reports: [report(over(ended(4, 2, 22), { final: false }))],
      },
      'Running, waits: CrashLoopBackOff, 1 restarts, before: Error 3 from 40 to 50',
    ],
    [
      'it has ended, though ARM still shows it running',
      { view: running(1), status: wasRunning, reports: [report(over(ended(3, 2, 30, { message: 'no disk' })))] },
      'Failed, Error 3 from 2 to 30 "no disk", 0 restarts',
    ],
    [
      'it was out of memory',
      { view: running(1), status: wasRunning, reports: [report(over(ended(137, 2, 30, { reason: 'OOMKilled' })))] },
      'Failed, OOMKilled 137 from 2 to 30, 0 restarts',
    ],
    [
      'ARM shows the end of a run whose agent had no time to report it',
      { view: terminated(137, { from: 1, to: 30 }), status: wasRunning, reports: [report(runs(2))] },
      'Failed, Error 137 from 2 to 30, 0 restarts',
    ],
    [
      'ARM’s answer is older than the start that the agent reports',
      {
        policy: 'Always',
        view: { ...terminated(1, { from: 1, to: 5 }), restartCount: 0 },
        reports: [report(runs(9, { lastEnded: ended(1, 2, 5) }), boot2)],
      },
      'Running, running since 9, started, ready, 0 restarts, before: Error 1 from 2 to 5',
    ],
    [
      'ACI has started it again, and the new agent has not spoken yet',
      {
        policy: 'Always',
        view: {
          ...running(50),
          restartCount: 1,
          previousState: terminated(1, { from: 1, to: 30 }).currentState ?? state(''),
        },
        status: wasRunning,
        reports: [report(over(ended(1, 2, 30, { message: 'first' }), { final: false }))],
      },
      'Running, running since 50, 1 restarts, before: Error 1 from 2 to 30 "first"',
    ],
    [
      'ACI’s clock is some seconds ahead',
      { view: running(6), status: wasRunning, reports: [report(over(ended(3, 2, 5)))] },
      'Failed, Error 3 from 2 to 5, 0 restarts',
    ],
    [
      'and has spoken',
      {
        policy: 'Always',
        view: { ...running(50), restartCount: 1 },
        status: { state: { kind: 'running', startedAt: at(50) }, restartCount: 1 },
        reports: [
          report(over(ended(1, 2, 30), { final: false })),
          report(runs(51, { lastEnded: ended(1, 2, 30) }), boot2),
        ],
      },
      'Running, running since 51, started, ready, 1 restarts, before: Error 1 from 2 to 30',
    ],
    [
      'the agent starts it again itself, under a policy of its own',
      {
        view: running(1),
        status: wasRunning,
        reports: [report(runs(12, { restarts: 1, lastEnded: ended(7, 2, 11) }), { number: 2 })],
      },
      'Running, running since 12, started, ready, 1 restarts, before: Error 7 from 2 to 11',
    ],
    [
      'and waits before it does',
      {
        view: running(1),
        status: wasRunning,
        reports: [
          report(
            {
              phase: 'waiting',
              waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' },
              started: false,
              ready: false,
              restarts: 0,
              final: false,
              lastEnded: ended(7, 2, 11),
            },
            { sentAt: ms(11) },
          ),
        ],
      },
      'Running, waits: CrashLoopBackOff, 0 restarts, before: Error 7 from 2 to 11',
    ],
    [
      'within one second after the end before',
      {
        view: running(1),
        status: { ...wasRunning, state: { kind: 'running', startedAt: at(2) } },
        reports: [report(runs(2.9, { restarts: 1, lastEnded: ended(7, 2.1, 2.8) }), { number: 2 })],
      },
      'Running, running since 2, started, ready, 1 restarts, before: Error 7 from 2 to 2',
    ],
    [
      'a probe ended it under OnFailure, it said that all was well, and ACI starts it again',
      {
        policy: 'OnFailure',
        view: running(1),
        status: wasRunning,
        reports: [report(over(ended(0, 2, 30), { final: false }))],
      },
      'Running, waits: CrashLoopBackOff, 0 restarts, before: Completed 0 from 2 to 30',
    ],
    [
      'a drained container is parked, and ACI’s Running revokes nothing',
      {
        policy: 'Always',
        view: running(1),
        status: wasRunning,
        reports: [report(over(ended(143, 2, 30), { phase: 'parked' }))],
      },
      'Failed, Error 143 from 2 to 30, 0 restarts',
    ],
    [
      'an end that the status has is not taken back by a newer start under Never',
      {
        view: running(50),
        phase: 'Running',
        status: { state: { kind: 'terminated', exitCode: 3, reason: 'Error', startedAt: at(2), finishedAt: at(30) } },
        reports: [report(over(ended(3, 2, 30))), report(runs(51, { lastEnded: ended(3, 2, 30) }), boot2)],
      },
      'Failed, Error 3 from 2 to 30, 0 restarts',
    ],
    [
      'the group is of another PUT',
      { view: running(1), reports: [report(over(ended(3, 2, 30)))], tags: {} },
      'Running, running since 1, started, ready, 0 restarts',
    ],
  ])('%s', (_, seen, says) => expect(statusOf(seen)).toBe(says));

  it('waits for the sidecars inside, whatever ACI says before the agents speak', () => {
    const pod = makePod({ spec: { initContainers: [{ ...container('proxy'), restartPolicy: 'Always' }] } });
    const group = makeGroup('Running', undefined, {
      tags,
      containers: ['proxy', 'main'].map((name) => ({ name, image: 'busybox:1.36', instanceView: running(1) })),
    });
    const status = (reports: readonly AgentReport[]): readonly string[] => {
      const heard = heardGroup(pod, group, memoryAfter(reports, ['proxy', 'main']));
      const { phase, initContainerStatuses, containerStatuses } = podStatusFromGroup({
        pod,
        group: heard,
        hostIP: '10.0.0.1',
        now: ms(60),
      });
      return [phase, ...[...initContainerStatuses, ...containerStatuses].map(({ state }) => shownState(state))];
    };
    expect(status([])).toEqual(['Pending', 'waits: PodInitializing', 'waits: PodInitializing']);
    const proxy = report(runs(2), { container: 'proxy' });
    expect(status([proxy])).toEqual(['Pending', 'running since 2', 'waits: PodInitializing']);
    expect(status([proxy, report(runs(3))])).toEqual(['Running', 'running since 2', 'running since 3']);
  });

  it('is ACI’s where there is nothing to remember', () => {
    const group = makeGroup('Running', running(1), { tags });
    expect(heardGroup(makePod(), group, undefined)).toBe(group);
    expect(heardGroup(makePod(), { ...group, tags: {} }, memoryAfter([report(runs(1))]))).toEqual({
      ...group,
      tags: {},
    });
    expect(key.nonce).not.toBe('');
  });
});
