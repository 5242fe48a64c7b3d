import { describe, expect, it } from 'vitest';
import type { GroupEvent, InstanceView } from '../../../shared/core/group/group.ts';
import type { ContainerStatus, Pod } from '../../../shared/core/kubernetes/pod.ts';
import { containerEvents } from '../../../shared/core/pod-events/container-events.ts';
import { troubleEvents } from '../../../shared/core/pod-events/trouble.ts';
import { podStatusFromGroup } from '../../../shared/core/status/status.ts';
import { at, container, mainRuns, makeGroup, makePod, noon, running, terminated } from '../../fixtures/pods.ts';
import { renderedEvent } from './rendered-event.ts';

const pod = makePod({ spec: { restartPolicy: 'Always' } });
const uid = pod.metadata.uid;

const aciEvent = (name: string, message: string, seconds: number): GroupEvent => ({
  name,
  message,
  type: 'Normal',
  count: 1,
  firstTimestamp: at(seconds),
  lastTimestamp: at(seconds),
});
const pulling = aciEvent('Pulling', 'pulling image "busybox@sha256:00"', 2);
const pulled = aciEvent('Pulled', 'Successfully pulled image "busybox@sha256:00"', 5);

/** The events of one poll, 30 s after noon unless given. */
function poll(before: Pod, view: InstanceView, seconds = 30): readonly string[] {
  const group = makeGroup('Running', view, { restartPolicy: before.spec.restartPolicy });
  const now = noon + seconds * 1000;
  const status = podStatusFromGroup({ pod: before, group, hostIP: '10.0.0.7', now });
  return containerEvents({ pod: before, status, group, now }).map(renderedEvent);
}

const withStatus = (status: Partial<ContainerStatus>): Pod =>
  makePod({
    spec: { restartPolicy: 'Always' },
    status: {
      phase: 'Running',
      containerStatuses: [{ ...mainRuns, ...status }],
    },
  });

const waiting = (detailStatus: string, restartCount: number, events: readonly GroupEvent[] = []): InstanceView => ({
  restartCount,
  currentState: { state: 'Waiting', detailStatus },
  ...(restartCount > 0
    ? { previousState: { ...terminated(1).currentState, state: 'Terminated', detailStatus: 'Error' } }
    : {}),
  events,
});

const backOff = (count: number): string =>
  `Warning BackOff spec.containers{main} ×${String(count)}: Back-off restarting failed container main in pod p_default(${uid})`;
const started = (count: number): string =>
  `Normal Started spec.containers{main} ×${String(count)}: Started container main`;

describe('a liveness probe that fails', () => {
  const probed = makePod({
    spec: {
      restartPolicy: 'Always',
      containers: [
        {
          ...container(),
          livenessProbe: {
            handler: { kind: 'exec', command: ['x'] },
            initialDelaySeconds: 0,
            periodSeconds: 10,
            timeoutSeconds: 1,
            successThreshold: 1,
            failureThreshold: 3,
          },
        },
      ],
    },
    status: { phase: 'Running', containerStatuses: [mainRuns] },
  });
  const events = [
    { ...aciEvent('Unhealthy', 'Liveness probe failed: cat: no such file', 20), count: 3 },
    aciEvent('Killing', 'Killing container with id main.', 21),
  ];

  it('is reported in the words of a kubelet, with its kills', () =>
    expect(poll(probed, { ...running(1), events })).toEqual([
      'Warning Unhealthy spec.containers{main} ×3: Liveness probe failed: cat: no such file',
      'Normal Killing spec.containers{main} ×1: Container main failed liveness probe, will be restarted',
    ]));

  it('is none of a container without one', () => expect(poll(withStatus({}), { ...running(1), events })).toEqual([]));
});

describe('a container that starts', () => {
  it('is reported as pulled and started in one poll, by the image that the user wrote', () => {
    expect(poll(pod, { ...running(6), events: [pulling, pulled] })).toEqual([
      'Normal Pulled spec.containers{main}: Successfully pulled image "busybox:1.36" in 3s',
      started(1),
    ]);
  });

  it('is reported so with its own times', () => {
    const group = makeGroup('Running', { ...running(6), events: [pulled] });
    const status = podStatusFromGroup({ pod, group, hostIP: '10.0.0.7', now: noon + 60_000 });
    expect(containerEvents({ pod, status, group, now: noon + 60_000 }).map((event) => event.at)).toEqual([
      at(5),
      at(6),
    ]);
  });

  it('and ends before the first poll is reported as started all the same', () => {
    expect(poll(makePod(), terminated(0))).toEqual([started(1)]);
  });

  it('is not reported once more', () => expect(poll(withStatus({}), { ...running(1), events: [pulled] })).toEqual([]));

  it('again is counted', () => {
    const before = withStatus({
      state: { kind: 'terminated', exitCode: 0, reason: 'Completed', startedAt: at(1), finishedAt: at(5) },
    });
    const view = {
      ...running(20),
      restartCount: 1,
      previousState: { ...terminated(0).currentState, state: 'Terminated', detailStatus: '' },
    };
    expect(poll(before, view)).toEqual([started(2)]);
  });

  it('is one of several: each is reported at its own place', () => {
    const first = { ...container('first'), image: 'init:1' };
    const before = makePod({ spec: { initContainers: [first] } });
    const group = makeGroup('Running', running(9), {
      initContainers: [{ name: 'first', image: 'init:1', instanceView: terminated(0) }],
    });
    const status = podStatusFromGroup({ pod: before, group, hostIP: '10.0.0.7', now: noon + 30_000 });
    expect(containerEvents({ pod: before, status, group, now: noon }).map(renderedEvent)).toEqual([
      'Normal Started spec.initContainers{first} ×1: Started container first',
      started(1),
    ]);
  });
});

describe('a container that ends again and again', () => {
  it('is backed off, as often as it was restarted', () => {
    const before = withStatus({
      restartCount: 3,
      state: { kind: 'terminated', exitCode: 1, reason: 'Error', startedAt: at(1), finishedAt: at(5) },
    });
    expect(poll(before, waiting('CrashLoopBackOff: Back-off 40s restarting failed container', 4))).toEqual([
      backOff(4),
    ]);
  });

  it('is reported so, too, where no poll sees it wait', () => {
    const before = withStatus({ restartCount: 1 });
    expect(poll(before, { ...running(20), restartCount: 2 })).toEqual([started(3), backOff(2)]);
  });

  it('once is no loop', () => expect(poll(withStatus({}), { ...running(20), restartCount: 1 })).toEqual([started(2)]));

  it('because it can’t be started is reported why', () => {
    const why = aciEvent('Failed', 'Error: Failed to start container main, Error response: no such file', 3);
    expect(
      poll(withStatus({}), waiting('CrashLoopBackOff: Back-off 10s restarting failed container', 1, [pulled, why])),
    ).toContain(
      'Warning Failed spec.containers{main}: Error: Failed to start container main, Error response: no such file',
    );
  });
});

describe('a container that can’t be pulled', () => {
  const failed = aciEvent('Failed', 'Failed to pull image "docker.io/busybox:1.36": not found', 8);
  const wait = aciEvent('BackOff', 'Back-off pulling image "docker.io/busybox:1.36"', 9);
  const pair = [
    'Warning Failed spec.containers{main}: Failed to pull image "busybox:1.36": not found',
    'Warning Failed spec.containers{main}: Error: ErrImagePull',
  ];
  const backedOff = [
    'Normal BackOff spec.containers{main}: Back-off pulling image "busybox:1.36"',
    'Warning Failed spec.containers{main}: Error: ImagePullBackOff',
  ];

  it('is reported by two events, and between two tries by two more', () => {
    expect(poll(pod, waiting('', 0, [pulling, failed]))).toEqual(pair);
    expect(poll(pod, waiting('', 0, [pulling, failed, wait]))).toEqual([...pair, ...backedOff]);
  });

  it('by a PUT that ARM refuses is reported in the same way', () => {
    const cause = { reason: 'ErrImagePull', message: 'InaccessibleImage: no busybox:1.36' };
    const first = troubleEvents(pod, cause).map(renderedEvent);
    expect(first).toEqual([
      'Warning Failed spec.containers{main}: Failed to pull image "busybox:1.36": InaccessibleImage: no busybox:1.36',
      pair[1],
    ]);
    const repeated = troubleEvents(pod, { ...cause, reason: 'ImagePullBackOff' });
    expect(repeated.map(renderedEvent)).toEqual([...first, ...backedOff]);
  });

  it('is the one whose image ARM names', () => {
    const containers = [container('a'), { ...container('b'), image: 'acr.io/b:2' }];
    const message = "The image 'acr.io/b:2' is not accessible";
    const [reported] = troubleEvents(makePod({ spec: { containers } }), {
      reason: 'ErrImagePull',
      message,
    });
    expect(reported?.container?.name).toBe('b');
  });

  it.each([
    ['for less than ten seconds is not reported', 11, []],
    ['for longer is', 12, ['Normal Pulling spec.containers{main}: Pulling image "busybox:1.36"']],
  ])('yet %s', (_, seconds, reported) => expect(poll(pod, waiting('', 0, [pulling]), seconds)).toEqual(reported));
});

describe('a pod without a group is reported why', () => {
  it.each([
    [
      'CreateContainerConfigError',
      'secret "s" not found',
      ['Warning Failed spec.containers{main}: Error: secret "s" not found'],
    ],
    [
      'FailedMount',
      'MountVolume.SetUp failed for volume "v" : secret "s" not found',
      ['Warning FailedMount: MountVolume.SetUp failed for volume "v" : secret "s" not found'],
    ],
    [
      'InvalidImageName',
      'm',
      [
        'Warning InspectFailed spec.containers{main}: m',
        'Warning Failed spec.containers{main}: Error: InvalidImageName',
      ],
    ],
    ['ProviderDenied', 'no', ['Warning ProviderDenied: no']],
  ])('%s', (reason, message, reported) => {
    expect(troubleEvents(pod, { reason, message }).map(renderedEvent)).toEqual(reported);
  });
});
