import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GroupObservation, InstanceView } from '../../../shared/core/group/group.ts';
import { isTerminalPhase } from '../../../shared/core/kubernetes/pod.ts';
import type { ContainerStatus, Pod, PodPhase, PodStatus } from '../../../shared/core/kubernetes/pod.ts';
import {
  deadlineStatus,
  deletedStatus,
  lostStatus,
  correctedStatus,
  pendingStatus,
  podStatusFromGroup,
  statusToWrite,
} from '../../../shared/core/status/status.ts';
import {
  applied,
  at,
  ended,
  eventOf,
  groupOf,
  hostIP,
  initOf,
  podOf,
  running,
  t0,
  viewOf,
  waiting,
} from './builders.ts';
import { defined } from '../../../shared/core/defined.ts';

const second = fc.integer({ min: 20, max: 60 });
/** A run that was over before any that is shown as current began. */
const earlier = fc
  .record({ code: fc.constantFrom(0, 1, 137, 7147), start: fc.nat(12), length: fc.nat(5) })
  .map(({ code, start, length }) => ended(code, start, start + length));
const state = fc.oneof(
  second.map(running),
  fc
    .record({ code: fc.constantFrom(0, 1, 137, 7147), start: second, length: fc.nat(5) })
    .map(({ code, start, length }) => ended(code, start, start + length)),
  fc.constantFrom(
    waiting(),
    waiting('CrashLoopBackOff: Back-off 20s'),
    { state: 'Odd', detailStatus: 'x' },
    { state: 'Terminated', detailStatus: '' },
    { state: 'Running', detailStatus: '' },
  ),
);
const view: fc.Arbitrary<InstanceView | undefined> = fc.option(
  fc
    .record({
      current: state,
      previous: fc.option(earlier, { nil: undefined }),
      restartCount: fc.nat(4),
      event: fc.constantFrom('Failed', 'BackOff', 'Pulled'),
    })
    .map(({ current, previous, restartCount, event }) =>
      viewOf(current, {
        restartCount,
        events: [eventOf(event, 'pull image')],
        ...defined({ previousState: previous }),
      }),
    ),
  { nil: undefined },
);
const group: fc.Arbitrary<GroupObservation> = fc
  .record({
    main: view,
    side: view,
    init: view,
    provisioningState: fc.constantFrom('Succeeded', 'Succeeded', 'Creating', 'Failed', 'Repairing'),
    state: fc.constantFrom('Running', 'Running', 'Succeeded', 'Failed', 'Stopped', 'Pending'),
    ip: fc.constantFrom('10.1.0.4', '10.1.0.5', 'garbage'),
  })
  .map(({ main, side, init, ...changes }) => groupOf({ main, side }, { ...changes, initContainers: initOf({ init }) }));

type Step = (pod: Pod, now: number) => PodStatus;
const looks = group.map(
  (seen): Step =>
    (pod, now) =>
      podStatusFromGroup({ pod, group: seen, hostIP, now }),
);
const others = fc.constantFrom<Step[]>(
  (pod, now) => pendingStatus({ pod, reason: 'ProviderCapacity', message: 'm', hostIP, now }),
  (pod, now) => lostStatus({ pod, hostIP, now }),
  (pod, now) => correctedStatus(pod, now),
);
const endings = fc.oneof(
  group.map(
    (seen): Step =>
      (pod, now) =>
        deletedStatus({ pod, group: seen, now }),
  ),
  group.map(
    (seen): Step =>
      (pod, now) =>
        deadlineStatus({ pod, group: seen, now }),
  ),
);
const life = fc.record({
  policy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const),
  hasInit: fc.boolean(),
  steps: fc.array(
    fc.oneof({ weight: 6, arbitrary: looks }, { weight: 2, arbitrary: others }, { weight: 1, arbitrary: endings }),
    { minLength: 1, maxLength: 8 },
  ),
});

/** Every status of a pod's life, each with the one before it. */
function walk(
  { policy, hasInit, steps }: { policy: 'Always' | 'OnFailure' | 'Never'; hasInit: boolean; steps: readonly Step[] },
  check: (before: Pod, after: Pod, step: Step, now: number) => void,
): void {
  let pod = podOf({ policy, containers: ['main', 'side'], init: hasInit ? ['init'] : [] });
  for (const [index, step] of steps.entries()) {
    const now = t0 + 100_000 + index * 10_000;
    const next = applied(pod, step(pod, now));
    check(pod, next, step, now);
    pod = next;
  }
}

const ranks: Readonly<Record<PodPhase, number>> = { Unknown: 0, Pending: 1, Running: 2, Succeeded: 3, Failed: 3 };
const containers = ({ status }: Pod): readonly ContainerStatus[] => [
  ...status.initContainerStatuses,
  ...status.containerStatuses,
];
const ends = (pod: Pod): ReadonlyMap<string, string> =>
  new Map(
    containers(pod).flatMap(({ name, state }) =>
      state.kind === 'terminated'
        ? [[name, `${String(state.exitCode)} ${state.reason} ${state.finishedAt ?? ''}`] as const]
        : [],
    ),
  );
const property = (check: (before: Pod, after: Pod, step: Step, now: number) => void): void => {
  fc.assert(
    fc.property(life, (lived) => walk(lived, check)),
    { numRuns: 150 },
  );
};

describe('over any life of a pod', () => {
  it('phase never goes back, and a terminal one is final', () => {
    property((before, after) => {
      expect(ranks[after.status.phase]).toBeGreaterThanOrEqual(ranks[before.status.phase]);
      const isFinal = isTerminalPhase(before.status.phase);
      expect(isFinal ? [after.status.phase, after.status.reason] : []).toEqual(
        isFinal ? [before.status.phase, before.status.reason] : [],
      );
    });
  });

  it('restart counts do not fall', () => {
    property((before, after) => {
      for (const { name, restartCount } of containers(before))
        expect(containers(after).find((status) => status.name === name)?.restartCount).toBeGreaterThanOrEqual(
          restartCount,
        );
    });
  });

  it('startTime is constant, and is there from the first write', () => {
    property((before, after) => {
      expect(after.status.startTime).toBe(before.status.startTime ?? at(100));
    });
  });

  it('an end that is the last word stays: code, reason and time', () => {
    property((before, after) => {
      const { restartPolicy } = before.spec;
      for (const [name, end] of ends(before)) {
        const isLast =
          isTerminalPhase(before.status.phase) ||
          restartPolicy === 'Never' ||
          (restartPolicy === 'OnFailure' && end.startsWith('0 ')) ||
          (name === 'init' && end.startsWith('0 '));
        expect(isLast ? ends(after).get(name) : end).toBe(end);
      }
    });
  });

  it('the same look twice writes once', () => {
    property((_, after, step, now) => {
      expect(statusToWrite(after, step(after, now + 5_000))).toBeUndefined();
    });
  });

  it('a terminal pod is not ready, and every time has whole seconds', () => {
    property((_, after) => {
      const ready = after.status.conditions.filter(({ type }) => type === 'Ready' || type === 'ContainersReady');
      expect(isTerminalPhase(after.status.phase) && ready.some(({ status }) => status === 'True')).toBe(false);
      expect(JSON.stringify(after.status)).not.toMatch(/\d\.\d+Z"/);
    });
  });

  it('a container id changes with each restart', () => {
    property((before, after) => {
      for (const { name, restartCount, containerID, state } of containers(before)) {
        const next = containers(after).find((status) => status.name === name);
        const isRestart =
          state.kind === 'running' && next?.state.kind === 'running' && next.restartCount > restartCount;
        expect(isRestart && next?.containerID === containerID).toBe(false);
      }
    });
  });
});
