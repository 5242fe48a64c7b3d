import { describe, expect, it } from 'vitest';
import type { GroupObservation } from '../../../shared/core/group/group.ts';
import type { Pod, PodStatus } from '../../../shared/core/kubernetes/pod.ts';
import {
  deadlineStatus,
  deletedStatus,
  lostStatus,
  correctedStatus,
  pendingStatus,
  podStatusFromGroup,
  rejectedStatus,
  statusToWrite,
} from '../../../shared/core/status/status.ts';
import {
  applied,
  at,
  brief,
  conditionBrief,
  ended,
  eventOf,
  groupOf,
  hostIP,
  initOf,
  podOf,
  running,
  scheduled,
  t0,
  viewOf,
  waiting,
} from './builders.ts';

const poll = (pod: Pod, group: GroupObservation, second = 60): PodStatus =>
  podStatusFromGroup({ pod, group, hostIP, now: t0 + second * 1000 });
const polled = (pod: Pod, group: GroupObservation, second = 60): Pod => applied(pod, poll(pod, group, second));
const main = (status: PodStatus): string => brief(status.containerStatuses.find(({ name }) => name === 'main'));
const init = (status: PodStatus): string => status.initContainerStatuses.map(brief).join(', ');

describe('a container that ACI shows', () => {
  const crashed = { restartCount: 2, previousState: ended(2, 10, 11) };
  it.each([
    ['without a view waits for its creation', undefined, 'waiting:ContainerCreating #0', 'Pending'],
    ['as waiting waits for its creation', viewOf(waiting()), 'waiting:ContainerCreating #0', 'Pending'],
    ['as running runs', viewOf(running(15)), 'running #0', 'Running'],
    ['as ended with 0 is completed', viewOf(ended(0, 1, 2)), 'terminated:0:Completed #0', 'Running'],
    ['as ended with 3 has an error', viewOf(ended(3, 1, 2)), 'terminated:3:Error #0', 'Running'],
    ['as killed for memory says so', viewOf(ended(137, 1, 2, 'OOMKilled')), 'terminated:137:OOMKilled #0', 'Running'],
    [
      'as ended without a code has an unknown end',
      viewOf({ state: 'Terminated', detailStatus: '' }),
      'terminated:137:ContainerStatusUnknown #0',
      'Running',
    ],
    [
      'in its back-off is crash looping',
      viewOf(waiting('CrashLoopBackOff: Back-off 40s restarting failed'), crashed),
      'waiting:CrashLoopBackOff < terminated:2:Error #2',
      'Running',
    ],
    [
      'as waiting after an end is crash looping',
      viewOf(waiting(), crashed),
      'waiting:CrashLoopBackOff < terminated:2:Error #2',
      'Running',
    ],
    [
      'as running again counts its restarts',
      viewOf(running(30), crashed),
      'running < terminated:2:Error #2',
      'Running',
    ],
    [
      'in a state nobody knows waits',
      viewOf({ state: 'Hibernating', detailStatus: '' }),
      'waiting:ContainerCreating #0',
      'Pending',
    ],
    [
      "with an image that can't be pulled says so",
      viewOf(waiting(), { events: [eventOf('Failed', 'Failed to pull image "x": not found', 5)] }),
      'waiting:ErrImagePull #0',
      'Pending',
    ],
    [
      'backing off from its image says so, in whatever order the events come',
      viewOf(waiting(), {
        events: [
          eventOf('BackOff', 'Back-off pulling image "x"', 7),
          eventOf('Failed', 'Failed to pull image "x"', 7),
          eventOf('Pulling', 'pulling image "x"', 8),
        ],
      }),
      'waiting:ImagePullBackOff #0',
      'Pending',
    ],
    [
      'with its image at last forgets the trouble',
      viewOf(waiting(), {
        events: [
          eventOf('Failed', 'Failed to pull image "x"', 5),
          eventOf('Pulled', 'Successfully pulled image "x"', 9),
        ],
      }),
      'waiting:ContainerCreating #0',
      'Pending',
    ],
    [
      "that can't be started says so",
      viewOf(waiting(), { events: [eventOf('Failed', 'Error: Failed to start container main', 5)] }),
      'waiting:RunContainerError #0',
      'Pending',
    ],
  ])('%s', (_, view, expected, phase) => {
    const status = poll(podOf(), groupOf({ main: view }));
    expect([main(status), status.phase]).toEqual([expected, phase]);
  });

  it("says its back-off in the kubelet's words", () => {
    const [status] = poll(
      podOf(),
      groupOf({ main: viewOf(waiting('CrashLoopBackOff: Back-off 40s restarting failed container'), crashed) }),
    ).containerStatuses;
    expect(status?.state).toEqual({
      kind: 'waiting',
      reason: 'CrashLoopBackOff',
      message: 'back-off 40s restarting failed container=main pod=p_ns(uid-1)',
    });
  });

  it('has an id for each run, the digest of its image, and times in seconds', () => {
    const sha = `sha256:${'b'.repeat(64)}`;
    const view = viewOf(running(30), { ...crashed, events: [eventOf('Pulling', `pulling image "alpine@${sha}"`)] });
    const [status] = poll(podOf(), groupOf({ main: view })).containerStatuses;
    expect(status).toEqual({
      name: 'main',
      image: 'main:1',
      imageID: `docker.io/library/alpine@${sha}`,
      containerID: 'aci://ns-p-abc/main/2',
      ready: true,
      started: true,
      restartCount: 2,
      state: { kind: 'running', startedAt: at(30) },
      lastState: {
        kind: 'terminated',
        exitCode: 2,
        reason: 'Error',
        startedAt: at(10),
        finishedAt: at(11),
        containerID: 'aci://ns-p-abc/main/1',
      },
    });
  });
});

describe("the phase, through the kubelet's table", () => {
  const two = { containers: ['main', 'side'] };
  const ok = viewOf(ended(0, 1, 2));
  const bad = viewOf(ended(3, 1, 2));
  it.each([
    ['one waiting, one running', 'Always', viewOf(waiting()), viewOf(running(1)), 'Pending'],
    ['one ended, one running', 'Never', bad, viewOf(running(1)), 'Running'],
    ['all ended with 0', 'Always', ok, ok, 'Running'],
    ['all ended with 0', 'OnFailure', ok, ok, 'Succeeded'],
    ['all ended with 0', 'Never', ok, ok, 'Succeeded'],
    ['one failed', 'Never', ok, bad, 'Failed'],
    ['one failed', 'OnFailure', ok, bad, 'Running'],
  ] as const)('%s under %s', (...[, policy, first, second, phase]) => {
    expect(poll(podOf({ ...two, policy }), groupOf({ main: first, side: second }, { state: 'Failed' })).phase).toBe(
      phase,
    );
  });
});

describe('init containers', () => {
  const pod = (policy: 'Always' | 'Never'): Pod => podOf({ policy, init: ['one', 'two'] });
  const incomplete = (names: string): string =>
    `False | ContainersNotInitialized | containers with incomplete status: [${names}]`;
  it.each([
    [
      'the first runs',
      { one: viewOf(running(1)), two: viewOf(waiting()) },
      'running #0, waiting:PodInitializing #0',
      'waiting:PodInitializing #0',
      'Pending',
      incomplete('one two'),
    ],
    [
      'the first is done',
      { one: viewOf(ended(0, 1, 2)), two: viewOf(running(3)) },
      'terminated:0:Completed #0, running #0',
      'waiting:PodInitializing #0',
      'Pending',
      incomplete('two'),
    ],
    [
      'the second failed',
      { one: viewOf(ended(0, 1, 2)), two: viewOf(ended(1, 3, 4)) },
      'terminated:0:Completed #0, terminated:1:Error #0',
      'waiting:PodInitializing #0',
      'Failed',
      incomplete('two'),
    ],
    [
      'all are done',
      { one: viewOf(ended(0, 1, 2)), two: viewOf(ended(0, 3, 4)) },
      'terminated:0:Completed #0, terminated:0:Completed #0',
      'waiting:PodInitializing #0',
      'Pending',
      'True',
    ],
  ])('%s', (...[, views, expected, mainState, phase, initialized]) => {
    const status = poll(
      pod('Never'),
      groupOf({ main: viewOf(waiting('ContainerCreating')) }, { initContainers: initOf(views) }),
    );
    expect([init(status), main(status), status.phase, conditionBrief(status, 'Initialized')]).toEqual([
      expected,
      mainState,
      phase,
      initialized,
    ]);
  });

  it('are run again under Always when they failed, and the others only wait', () => {
    const views = {
      one: viewOf(waiting(), { restartCount: 1, previousState: ended(1, 1, 2) }),
      two: viewOf(waiting()),
    };
    const status = poll(
      pod('Always'),
      groupOf(
        { main: viewOf(waiting(), { events: [eventOf('Failed', 'Failed to pull image')] }) },
        { initContainers: initOf(views) },
      ),
    );
    expect(init(status)).toBe('waiting:CrashLoopBackOff < terminated:1:Error #1, waiting:PodInitializing #0');
    expect([main(status), status.phase]).toEqual(['waiting:PodInitializing #0', 'Pending']);
  });

  it('are ready when done', () => {
    const status = poll(
      pod('Never'),
      groupOf(
        { main: viewOf(running(5)) },
        { initContainers: initOf({ one: viewOf(ended(0, 1, 2)), two: viewOf(ended(0, 3, 4)) }) },
      ),
    );
    expect(status.initContainerStatuses.map(({ ready }) => ready)).toEqual([true, true]);
    expect(status.phase).toBe('Running');
  });
});

describe('what the API object says already', () => {
  it('keeps startTime, qosClass and the address, and names the generation it saw', () => {
    const first = polled(podOf(), groupOf({ main: undefined }, { provisioningState: 'Pending', state: 'Pending' }), 1);
    const { ip: _ip, ...withoutAddress } = groupOf({ main: viewOf(running(15)) });
    const pod = polled({ ...first, metadata: { ...first.metadata, generation: 2 } }, withoutAddress, 60);
    expect(pod.status).toMatchObject({
      startTime: at(1),
      qosClass: 'BestEffort',
      hostIP,
      podIP: '10.1.0.4',
      observedGeneration: 2,
    });
  });

  it('takes a new address at once, and none that is no address', () => {
    const pod = polled(podOf(), groupOf({ main: viewOf(running(15)) }));
    expect(poll(pod, groupOf({ main: viewOf(running(15)) }, { ip: '10.1.0.5' })).podIP).toBe('10.1.0.5');
    expect(poll(pod, groupOf({ main: viewOf(running(15)) }, { ip: 'pending' })).podIP).toBe('10.1.0.4');
  });

  it.each([
    ['running, then ended', viewOf(running(10)), viewOf(ended(3, 10, 20)), 'terminated:3:Error #0'],
    [
      'running, then another run that ACI does not count',
      viewOf(running(10)),
      viewOf(running(50)),
      'running < terminated:137:ContainerStatusUnknown #1',
    ],
    [
      'running, then waiting without a trace',
      viewOf(running(10)),
      viewOf(waiting()),
      'waiting:CrashLoopBackOff < terminated:137:ContainerStatusUnknown #1',
    ],
    [
      'ended, then waiting',
      viewOf(ended(2, 10, 20)),
      viewOf(waiting(), { restartCount: 1, previousState: ended(2, 10, 20) }),
      'waiting:CrashLoopBackOff < terminated:2:Error #1',
    ],
    [
      'ended, then running again',
      viewOf(ended(2, 10, 20)),
      viewOf(running(30), { restartCount: 1, previousState: ended(2, 10, 20) }),
      'running < terminated:2:Error #1',
    ],
    [
      'restarted, then a group that counts from 0 again',
      viewOf(running(10), { restartCount: 4, previousState: ended(2, 5, 6) }),
      viewOf(running(50)),
      'running < terminated:137:ContainerStatusUnknown #5',
    ],
    [
      'crash looping, then running',
      viewOf(waiting(), { restartCount: 1, previousState: ended(2, 10, 20) }),
      viewOf(running(30), { restartCount: 1, previousState: ended(2, 10, 20) }),
      'running < terminated:2:Error #1',
    ],
    [
      'running, then an older answer',
      viewOf(running(30), { restartCount: 1, previousState: ended(2, 10, 20) }),
      viewOf(running(10)),
      'running < terminated:2:Error #1',
    ],
    [
      'ended, then an answer in which it still runs',
      viewOf(ended(2, 10, 20)),
      viewOf(running(10)),
      'terminated:2:Error #0',
    ],
    [
      'running, then in a state nobody knows',
      viewOf(running(10)),
      viewOf({ state: 'Hibernating', detailStatus: '' }),
      'running #0',
    ],
  ])('goes on under Always: %s', (_, before, after, expected) => {
    const pod = polled(podOf(), groupOf({ main: before }));
    expect(main(poll(pod, groupOf({ main: after })))).toBe(expected);
  });

  it.each([
    [
      'the first end is the end under Never',
      'Never',
      viewOf(ended(3, 1, 2)),
      viewOf(running(9), { restartCount: 1, previousState: ended(3, 1, 2) }),
      'terminated:3:Error #0',
      'Failed',
    ],
    [
      'even if it was only seen as the one before',
      'Never',
      viewOf(running(1)),
      viewOf(running(9), { restartCount: 1, previousState: ended(3, 1, 2) }),
      'terminated:3:Error #0',
      'Failed',
    ],
    [
      'success is the end under OnFailure',
      'OnFailure',
      viewOf(ended(0, 1, 2)),
      viewOf(waiting()),
      'terminated:0:Completed #0',
      'Succeeded',
    ],
    [
      'a pod that is moved goes on running under Never',
      'Never',
      viewOf(running(1)),
      viewOf(waiting()),
      'running #0',
      'Running',
    ],
    [
      'another run under Never is reported as one',
      'Never',
      viewOf(running(1)),
      viewOf(running(9)),
      'running < terminated:137:ContainerStatusUnknown #1',
      'Running',
    ],
  ] as const)('%s', (...[, policy, before, after, expected, phase]) => {
    const pod = polled(podOf({ policy }), groupOf({ main: before }));
    const status = poll(pod, groupOf({ main: after }));
    expect([main(status), status.phase]).toEqual([expected, phase]);
  });

  it.each([
    ['keeps ends that were harvested before', 'Never', viewOf(ended(3, 1, 2)), 'terminated:3:Error #0', 'Failed'],
    ['ends what ran with 137', 'Never', viewOf(running(1)), 'terminated:137:ContainerStatusUnknown #0', 'Failed'],
    [
      'ends what ran with 137, and the pod goes on',
      'Always',
      viewOf(running(1)),
      'terminated:137:ContainerStatusUnknown #0',
      'Running',
    ],
    [
      'leaves what never started waiting for its next group',
      'Always',
      viewOf(waiting()),
      'waiting:ContainerCreating #0',
      'Pending',
    ],
    [
      'ends what never started under Never',
      'Never',
      viewOf(waiting()),
      'terminated:137:ContainerStatusUnknown #0',
      'Failed',
    ],
  ] as const)('after stop, which erases the view, %s', (...[, policy, before, expected, phase]) => {
    const pod = polled(podOf({ policy }), groupOf({ main: before }));
    const status = poll(pod, groupOf({ main: undefined }, { state: 'Stopped' }));
    expect([main(status), status.phase]).toEqual([expected, phase]);
  });

  it('says of an end that nobody saw what a kubelet says, and why nobody saw it', () => {
    const pod = polled(podOf({ policy: 'Never' }), groupOf({ main: viewOf(running(1)) }));
    expect(poll(pod, groupOf({ main: undefined }, { state: 'Stopped' })).containerStatuses[0]?.state).toEqual({
      kind: 'terminated',
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
      message:
        'The container could not be located when the pod was terminated: its container group was stopped or deleted outside of Kubernetes',
      startedAt: at(1),
      containerID: 'aci://ns-p-abc/main/0',
    });
  });

  it('says whose stop it was', () => {
    const pod = polled(podOf({ policy: 'Never' }), groupOf({ main: viewOf(running(1)) }));
    const input = { pod, group: groupOf({ main: undefined }, { state: 'Stopped' }), now: t0 + 60_000 };
    const said = [deadlineStatus(input), deletedStatus(input), deletedStatus({ ...input, group: undefined })].map(
      ({ containerStatuses: [status] }) => status?.state.kind === 'terminated' && status.state.message?.split(': ')[1],
    );
    const why = 'Azure Container Instances reports no exit code of a container that it is asked to stop';
    expect(said).toEqual([
      `activeDeadlineSeconds ended it, and ${why}`,
      `the deletion of the pod ended it, and ${why}`,
      `the deletion of the pod ended it, and ${why}`,
    ]);
  });

  it('of a container of which no start was reported, too', () => {
    const { containerStatuses } = deletedStatus({ pod: podOf({ policy: 'Never' }), group: undefined, now: t0 });
    expect(containerStatuses[0]?.state).toMatchObject({
      message: expect.stringContaining(': Azure Container Instances had not reported its start'),
    });
  });

  it('shows an ephemeral container as one that could not be started, and says nothing twice', () => {
    const plain = podOf({ policy: 'Always' });
    const rawSpec = { ...plain.rawSpec, ephemeralContainers: [{ name: 'dbg', image: 'busybox:1.36' }] };
    const status = poll({ ...plain, rawSpec }, groupOf({ main: viewOf(running(1)) }));
    expect(status.ephemeralContainerStatuses).toEqual([
      {
        name: 'dbg',
        image: 'busybox:1.36',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: {
          kind: 'terminated',
          exitCode: 128,
          reason: 'StartError',
          message: 'it was not started: Azure Container Instances can not add a container to a group',
        },
      },
    ]);
    expect(status.phase).toBe('Running');
    expect(statusToWrite({ ...plain, rawSpec, status }, status)).toBeUndefined();
    const { ephemeralContainerStatuses: _, ...without } = status;
    expect(statusToWrite({ ...plain, rawSpec, status: without }, status)).toBe(status);
  });
});

describe('conditions', () => {
  const types = ['PodReadyToStartContainers', 'Initialized', 'ContainersReady', 'Ready', 'DisruptionTarget'] as const;
  const unready = 'False | ContainersNotReady | containers with unready status: [main]';
  it.each([
    [
      'nothing is there yet',
      'Always',
      viewOf(waiting()),
      { provisioningState: 'Creating' },
      ['False', 'True', unready, unready, 'absent'],
    ],
    ['the group is up', 'Always', viewOf(waiting()), {}, ['True', 'True', unready, unready, 'absent']],
    ['it runs', 'Always', viewOf(running(1)), {}, ['True', 'True', 'True', 'True', 'absent']],
    [
      'it has succeeded',
      'Never',
      viewOf(ended(0, 1, 2)),
      {},
      ['False', 'True | PodCompleted', 'False | PodCompleted', 'False | PodCompleted', 'absent'],
    ],
    [
      'it has failed',
      'Never',
      viewOf(ended(3, 1, 2)),
      {},
      ['False', 'True', 'False | PodFailed', 'False | PodFailed', 'absent'],
    ],
    [
      'ACI ended it for maintenance',
      'Never',
      viewOf(ended(7147, 1, 2)),
      {},
      [
        'False',
        'True',
        'False | PodFailed',
        'False | PodFailed',
        'True | TerminationByKubelet | Azure Container Instances ended container "main" for platform maintenance (exit code 7147).',
      ],
    ],
    [
      'ACI ended it for maintenance and runs it again',
      'OnFailure',
      viewOf(ended(7148, 1, 2)),
      {},
      ['True', 'True', unready, unready, 'absent'],
    ],
  ] as const)('%s', (...[, policy, view, group, expected]) => {
    const status = poll(podOf({ policy }), groupOf({ main: view }, group));
    expect(types.map((type) => conditionBrief(status, type))).toEqual(expected);
  });

  it('count unready containers in the order of the spec', () => {
    const status = poll(podOf({ containers: ['z', 'a'] }), groupOf({}));
    expect(conditionBrief(status, 'ContainersReady')).toBe(
      'False | ContainersNotReady | containers with unready status: [z a]',
    );
    expect(status.containerStatuses.map(({ name }) => name)).toEqual(['a', 'z']);
  });

  it.each([
    [
      'does not exist',
      [],
      'False | ReadinessGatesNotReady | corresponding condition of pod readiness gate "lb/x" does not exist.',
    ],
    [
      'is False',
      [{ type: 'lb/x', status: 'False' as const }],
      'False | ReadinessGatesNotReady | the status of pod readiness gate "lb/x" is not "True", but False',
    ],
    ['is True', [{ type: 'lb/x', status: 'True' as const }], 'True'],
  ])('Ready waits for a gate that %s', (_, conditions, expected) => {
    const status = poll(
      podOf({ gates: ['lb/x'], status: { conditions: [scheduled, ...conditions] } }),
      groupOf({ main: viewOf(running(1)) }),
    );
    expect([conditionBrief(status, 'ContainersReady'), conditionBrief(status, 'Ready')]).toEqual(['True', expected]);
    expect(status.conditions).toEqual(expect.arrayContaining([scheduled, ...conditions]));
  });

  it('move their time only when their status changes, and name the generation', () => {
    const pod = polled(podOf(), groupOf({ main: viewOf(waiting()) }), 5);
    const { conditions } = poll(
      { ...pod, metadata: { ...pod.metadata, generation: 3 } },
      groupOf({ main: viewOf(running(6)) }),
      9,
    );
    const times = Object.fromEntries(
      conditions.map(({ type, lastTransitionTime, observedGeneration }) => [
        type,
        [lastTransitionTime, observedGeneration],
      ]),
    );
    expect(times).toMatchObject({
      Ready: [at(9), 3],
      Initialized: [at(5), 3],
      PodReadyToStartContainers: [at(5), 3],
      PodScheduled: [at(-1), undefined],
    });
  });
});

describe('pods without a group', () => {
  it.each([
    ['waits with the reason', {}, 'ProviderCapacity', '', 'waiting:ProviderCapacity #0'],
    [
      'says it at the first init container only',
      { init: ['one', 'two'] },
      'ErrImagePull',
      'waiting:ErrImagePull #0, waiting:PodInitializing #0',
      'waiting:PodInitializing #0',
    ],
    [
      "has the kubelet's word with init containers",
      { init: ['one'] },
      'ContainerCreating',
      'waiting:PodInitializing #0',
      'waiting:PodInitializing #0',
    ],
  ])('pending: %s', (...[, changes, reason, initStates, mainState]) => {
    const status = pendingStatus({ pod: podOf(changes), reason, message: 'm', hostIP, now: t0 });
    expect([init(status), main(status), status.phase, conditionBrief(status, 'PodReadyToStartContainers')]).toEqual([
      initStates,
      mainState,
      'Pending',
      'False',
    ]);
    expect(status).toMatchObject({ startTime: at(0), hostIP, observedGeneration: 1 });
  });

  it('pending: a pod between two groups waits for its next run, and stays Running', () => {
    const pod = polled(podOf(), groupOf({ main: viewOf(running(1)) }));
    const lost = applied(pod, lostStatus({ pod, now: t0 + 90_000 }));
    const next = applied(lost, pendingStatus({ pod: lost, reason: 'ContainerCreating', hostIP, now: t0 + 91_000 }));
    expect([main(next.status), next.status.phase]).toEqual([
      'waiting:ContainerCreating < terminated:137:ContainerStatusUnknown #1',
      'Running',
    ]);
    expect(main(poll(next, groupOf({ main: viewOf(running(120)) })))).toBe(
      'running < terminated:137:ContainerStatusUnknown #1',
    );
  });

  it("rejected: Failed as at a kubelet's admission, without containers", () => {
    const status = rejectedStatus({ pod: podOf(), reason: 'OutOfcpu', message: 'too much', now: t0 });
    expect(status).toMatchObject({
      phase: 'Failed',
      reason: 'OutOfcpu',
      message: 'Pod was rejected: too much',
      containerStatuses: [],
    });
    expect(conditionBrief(status, 'Ready')).toBe('False | PodFailed');
  });

  const disrupted =
    'True | TerminationByKubelet | The container group that ran the pod was stopped or deleted outside of Kubernetes.';
  it.each([
    [
      'what ran is unknown, and Never is over',
      'Never',
      viewOf(running(1)),
      'terminated:137:ContainerStatusUnknown #0',
      'Failed',
      disrupted,
    ],
    [
      'what ran is unknown, and Always goes on',
      'Always',
      viewOf(running(1)),
      'terminated:137:ContainerStatusUnknown #0',
      'Running',
      'absent',
    ],
    ['what never ran waits on', 'OnFailure', viewOf(waiting()), 'waiting:ContainerCreating #0', 'Pending', 'absent'],
    [
      'what never ran is over under Never',
      'Never',
      viewOf(waiting()),
      'terminated:137:ContainerStatusUnknown #0',
      'Failed',
      disrupted,
    ],
    [
      'a true end stays, and is no disruption',
      'Never',
      viewOf(ended(3, 1, 2)),
      'terminated:3:Error #0',
      'Failed',
      'absent',
    ],
  ] as const)('lost: %s', (...[, policy, before, expected, phase, disruption]) => {
    const pod = polled(podOf({ policy }), groupOf({ main: before }));
    const status = lostStatus({ pod, hostIP, now: t0 + 90_000 });
    expect([main(status), status.phase, conditionBrief(status, 'DisruptionTarget')]).toEqual([
      expected,
      phase,
      disruption,
    ]);
  });
});

describe('pods that are ended by Kubernetes', () => {
  const crashLoop = viewOf(waiting(), { restartCount: 3, previousState: ended(2, 10, 20) });
  it.each([
    ['ends what runs with 137', viewOf(running(1)), undefined, 'terminated:137:ContainerStatusUnknown #0', 'Failed'],
    ['keeps true codes', viewOf(ended(143, 1, 2)), undefined, 'terminated:143:Error #0', 'Failed'],
    ['succeeds when all ended with 0', viewOf(ended(0, 1, 2)), undefined, 'terminated:0:Completed #0', 'Succeeded'],
    [
      'takes the last code of a crash loop',
      crashLoop,
      undefined,
      'terminated:2:Error < terminated:2:Error #3',
      'Failed',
    ],
    [
      'takes what the last poll knows',
      viewOf(running(1)),
      groupOf({ main: viewOf(ended(0, 1, 5)) }),
      'terminated:0:Completed #0',
      'Succeeded',
    ],
    [
      'keeps what was harvested before the view was erased',
      viewOf(ended(9, 1, 2)),
      groupOf({ main: undefined }, { state: 'Stopped' }),
      'terminated:9:Error #0',
      'Failed',
    ],
    ['fails what never started', viewOf(waiting()), undefined, 'terminated:137:ContainerStatusUnknown #0', 'Failed'],
  ])('deleted: %s', (...[, before, group, expected, phase]) => {
    const pod = polled(podOf(), groupOf({ main: before }));
    const status = deletedStatus({ pod, group, hostIP, now: t0 + 90_000 });
    expect([main(status), status.phase]).toEqual([expected, phase]);
  });

  it('deleted: a pod that nothing was ever said of is Failed', () => {
    const status = deletedStatus({ pod: podOf({ init: ['one'] }), group: undefined, now: t0 });
    expect([init(status), main(status), status.phase]).toEqual([
      'terminated:137:ContainerStatusUnknown #0',
      'waiting:PodInitializing #0',
      'Failed',
    ]);
  });

  it.each([
    ['is cut short: what is behind it never ran', running(1), undefined, 'waiting:PodInitializing #0'],
    [
      'had succeeded: the container that was to start ends',
      ended(0, 1, 2),
      undefined,
      'terminated:137:ContainerStatusUnknown #0',
    ],
    ['had succeeded, and the container runs', ended(0, 1, 2), running(3), 'terminated:137:ContainerStatusUnknown #0'],
  ] as const)('deleted, and past its deadline: when the last init container %s', (...[, one, regular, expected]) => {
    const initContainers = initOf({ one: viewOf(ended(0, 0, 1)), two: viewOf(one) });
    const group = groupOf({ main: viewOf(regular ?? waiting()) }, { initContainers });
    const pod = podOf({ init: ['one', 'two'], policy: 'Always' });
    const statuses = [deletedStatus({ pod, group, now: t0 }), deadlineStatus({ pod, group, now: t0 })];
    expect(statuses.map((status) => [main(status), status.phase])).toEqual([
      [expected, 'Failed'],
      [expected, 'Failed'],
    ]);
  });

  it('deleted: behind a failed init container the others still say that they never ran', () => {
    const group = groupOf({ main: viewOf(waiting()) }, { initContainers: initOf({ one: viewOf(ended(1, 1, 2)) }) });
    const status = deletedStatus({ pod: podOf({ init: ['one'], policy: 'Never' }), group, now: t0 });
    expect([init(status), main(status), status.phase]).toEqual([
      'terminated:1:Error #0',
      'waiting:PodInitializing #0',
      'Failed',
    ]);
  });

  it("past its deadline: Failed whatever the codes, in the kubelet's words, and no disruption", () => {
    const pod = polled(
      podOf({ policy: 'OnFailure', containers: ['main', 'side'] }),
      groupOf({ main: viewOf(ended(0, 1, 2)), side: viewOf(running(1)) }),
    );
    const status = deadlineStatus({ pod, group: undefined, now: t0 + 90_000 });
    expect(status).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
    expect(status.containerStatuses.map(brief)).toEqual([
      'terminated:0:Completed #0',
      'terminated:137:ContainerStatusUnknown #0',
    ]);
    expect(conditionBrief(status, 'DisruptionTarget')).toBe('absent');
    expect(deadlineStatus({ pod: applied(pod, status), group: undefined, now: t0 + 99_000 })).toEqual(status);
  });

  it('what is over stays as it is', () => {
    const pod = polled(podOf({ policy: 'Never' }), groupOf({ main: viewOf(ended(0, 1, 2)) }));
    const later = { pod, group: undefined, now: t0 + 99_000 };
    for (const status of [
      deadlineStatus(later),
      deletedStatus(later),
      lostStatus(later),
      rejectedStatus({ ...later, reason: 'X', message: 'x' }),
    ])
      expect(statusToWrite(pod, status)).toBeUndefined();
  });
});

describe('what is written', () => {
  const group = groupOf({ main: viewOf(running(1)) });
  it('is nothing when the object says it already, in any order and with finer times', () => {
    const pod = polled(podOf(), group);
    const shuffled = {
      ...pod.status,
      startTime: pod.status.startTime?.replace('Z', '.000Z') ?? '',
      conditions: pod.status.conditions.toReversed(),
    };
    expect(statusToWrite({ ...pod, status: shuffled }, poll(pod, group, 120))).toBeUndefined();
  });

  it('fixes Ready that the node controller took away, with or without a poll', () => {
    const pod = polled(podOf(), group);
    const conditions = pod.status.conditions.map((condition) =>
      condition.type === 'Ready' ? { ...condition, status: 'False' as const, lastTransitionTime: at(70) } : condition,
    );
    const flapped = { ...pod, status: { ...pod.status, conditions } };
    for (const next of [poll(flapped, group, 80), correctedStatus(flapped, t0 + 80_000)])
      expect(statusToWrite(flapped, next)?.conditions.find(({ type }) => type === 'Ready')).toMatchObject({
        status: 'True',
        lastTransitionTime: at(80),
      });
    expect(statusToWrite(pod, correctedStatus(pod, t0 + 80_000))).toBeUndefined();
  });

  it('does not repeat itself to an API server that does not keep observedGeneration', () => {
    const pod = polled(podOf(), group);
    const { observedGeneration: _generation, ...old } = pod.status;
    const conditions = old.conditions.map(({ observedGeneration: _observed, ...condition }) => condition);
    expect(statusToWrite({ ...pod, status: { ...old, conditions } }, poll(pod, group, 120))).toBeUndefined();
  });

  it('follows a new generation', () => {
    const pod = polled(podOf(), group);
    const edited = { ...pod, metadata: { ...pod.metadata, generation: 2 } };
    expect(statusToWrite(edited, poll(edited, group))?.observedGeneration).toBe(2);
  });
});
