import { describe, expect, it } from 'vitest';
import { readAppLog } from '../../infra/cluster/relay/kubelet/app-log.ts';
import { isOver, logReadiness } from '../../infra/cluster/relay/kubelet/container-instance.ts';
import type { Pod } from '../../shared/core/kubernetes/pod.ts';
import { parsePod } from '../../shared/wire/pod.ts';

function podWith(state: object | undefined, more: object = {}): Pod {
  const pod = parsePod({
    metadata: { name: 'p', namespace: 'default', uid: 'u1' },
    spec: { nodeName: 'aci-1', containers: [{ name: 'c', image: 'i' }], initContainers: [{ name: 'i', image: 'i' }] },
    status: state === undefined ? {} : { containerStatuses: [{ name: 'c', state, ...more }] },
  });
  if (pod === undefined) throw new Error('not a pod');
  return pod;
}
const running = { running: { startedAt: '2026-11-23T11:00:00Z' } };
const terminated = { terminated: { exitCode: 3 } };
const waiting = (reason: string) => ({ waiting: { reason } });

describe('whether a container has a log to show', () => {
  const now = { previous: false };
  it.each([
    ['none yet', undefined, 'ContainerCreating'],
    ['ContainerCreating', waiting('ContainerCreating'), 'ContainerCreating'],
    ['PodInitializing', waiting('PodInitializing'), 'PodInitializing'],
    ['ErrImagePull', waiting('ErrImagePull'), "image can't be pulled"],
    ['ImagePullBackOff', waiting('ImagePullBackOff'), 'trying and failing to pull image'],
  ])('state %s: 400 in the words of a kubelet', (_name, state, words) =>
    expect(logReadiness(podWith(state), 'c', now)).toEqual({
      kind: 'refused',
      status: 400,
      message: `container "c" in pod "p" is waiting to start: ${words}`,
    }),
  );
  it('one that waits for what a kubelet does not know says it whole', () => {
    const state = { waiting: { reason: 'ProviderCapacity', message: 'no room in westeurope' } };
    expect(logReadiness(podWith(state), 'c', now)).toMatchObject({
      message: 'container "c" in pod "p" is waiting to start: ProviderCapacity: no room in westeurope',
    });
  });
  it.each([
    ['has no status', undefined],
    ['was shown as waiting', waiting('ContainerCreating')],
  ])('one of a pod that was refused names the refusal, where it %s', (_, state) => {
    const refused = podWith(state);
    const status = {
      ...refused.status,
      phase: 'Failed' as const,
      reason: 'UnsupportedPodSpec',
      message: 'Pod was rejected: spec.hostNetwork: not here',
    };
    expect(logReadiness({ ...refused, status }, 'c', now)).toEqual({
      kind: 'refused',
      status: 400,
      message:
        'container "c" in pod "p" was never started: UnsupportedPodSpec: Pod was rejected: spec.hostNetwork: not here',
    });
  });
  it('one that ran before its pod failed has its log', () => {
    const ended = podWith(terminated);
    const status = { ...ended.status, phase: 'Failed' as const };
    expect(logReadiness({ ...ended, status }, 'c', now)).toMatchObject({ kind: 'ready' });
  });
  it('a running one has', () =>
    expect(logReadiness(podWith(running, { restartCount: 2 }), 'c', now)).toEqual({
      kind: 'ready',
      restartCount: 2,
      isRunning: true,
    }));
  it('a terminated one has, until its group is gone', () =>
    expect(logReadiness(podWith(terminated), 'c', now)).toMatchObject({ kind: 'ready', isRunning: false }));
  it('one that waits for its restart shows the run before', () =>
    expect(logReadiness(podWith(waiting('CrashLoopBackOff'), { lastState: terminated }), 'c', now)).toMatchObject({
      kind: 'ready',
      isRunning: false,
    }));
  it('there is no run before the first', () =>
    expect(logReadiness(podWith(running), 'c', { previous: true })).toEqual({
      kind: 'refused',
      status: 400,
      message: 'previous terminated container "c" in pod "p" not found',
    }));
  it('the run before the present one is of another place', () =>
    expect(logReadiness(podWith(running, { lastState: terminated }), 'c', { previous: true })).toEqual({
      kind: 'previous',
    }));
  it('the run before is what is shown anyway while a restart is waited for', () => {
    const pod = podWith(waiting('CrashLoopBackOff'), { lastState: terminated, restartCount: 2 });
    expect(logReadiness(pod, 'c', { previous: true })).toEqual({ kind: 'ready', restartCount: 2, isRunning: false });
  });
  it('one that the pod does not have is a 404', () =>
    expect(logReadiness(podWith(running), 'x', now)).toMatchObject({ status: 404 }));
  it('an ephemeral one was never started, and a 400 says so', () => {
    const pod = { ...podWith(running), rawSpec: { ephemeralContainers: [{ name: 'dbg' }] } };
    expect(logReadiness(pod, 'dbg', now)).toEqual({
      kind: 'refused',
      status: 400,
      message:
        'container "dbg" in pod "p" is an ephemeral container; it was not started: Azure Container Instances can not add a container to a group',
    });
  });
  it('an init container counts', () => expect(logReadiness(podWith(running), 'i', now)).toMatchObject({ status: 400 }));
});

describe('whether the run that is followed is over', () => {
  const followed = { uid: 'u1', container: 'c', restartCount: 0 };
  it.each([
    ['running', podWith(running), false],
    ['terminated', podWith(terminated), true],
    ['restarted', podWith(running, { restartCount: 1 }), true],
    ['waiting for its restart', podWith(waiting('CrashLoopBackOff')), true],
    ['without a status', podWith(undefined), true],
    ['in a pod that is gone', undefined, true],
  ])('%s', (_what, pod, over) => expect(isOver(pod, followed)).toBe(over));
  it('in a pod of the same name, created anew', () =>
    expect(isOver(podWith(running), { ...followed, uid: 'u0' })).toBe(true));
});

describe("the app's answer, for the user of kubectl", () => {
  const answer = (status: number, code = '', retryAfterMs?: number) =>
    readAppLog(
      {
        kind: 'answer',
        status,
        body: code === '' ? '' : JSON.stringify({ error: { code, message: 'm' } }),
        retryAfterMs,
      },
      'p',
      'c',
    );
  it.each([
    [404, 'ContainerLogNotAvailable', 400],
    [404, 'PodNotFound', 400],
    [404, 'NodeNotFound', 404],
    [404, '', 503],
    [409, 'ContainerGroupTransitioning', 503],
    [429, 'TooManyRequests', 503],
    [401, 'Unauthorized', 502],
    [403, 'Forbidden', 502],
    [400, 'BadRequest', 502],
    [500, 'InternalError', 503],
    [503, 'ServiceUnavailable', 503],
  ])('%i %s is a %i', (status, code, expected) =>
    expect(answer(status, code)).toMatchObject({ kind: 'refused', status: expected }),
  );
  it('a log that is not there yet reads as a kubelet says it', () =>
    expect(answer(404, 'ContainerLogNotAvailable')).toMatchObject({
      message: 'container "c" in pod "p" is waiting to start: ContainerCreating',
    }));
  it.each([
    ['running', `the log of container "c" in pod "p" can't be read now: m`],
    [
      'ended',
      'container "c" in pod "p" has ended, and nothing is left of its log: its container group is stopped or gone, and the log could not be kept',
    ],
  ] as const)('a log that is not there of a container that is %s is not said to be waited for', (state, message) => {
    const body = JSON.stringify({ error: { code: 'ContainerLogNotAvailable', message: 'm' } });
    const gone = readAppLog({ kind: 'answer', status: 404, body, retryAfterMs: undefined }, 'p', 'c', state);
    expect(gone).toMatchObject({ kind: 'refused', status: 400, message });
  });
  it('keeps how long to wait', () =>
    expect(answer(429, 'TooManyRequests', 7000)).toMatchObject({ retryAfterMs: 7000 }));
  it('an app that is not there is a 503', () =>
    expect(readAppLog({ kind: 'unreachable', message: 'ECONNREFUSED' }, 'p', 'c')).toMatchObject({ status: 503 }));
});
