import { describe, expect, it } from 'vitest';
import { readinessTargets } from '../../../infra/cluster/relay/readiness/targets.ts';

const running = { running: { startedAt: '2026-11-23T12:00:00Z' } };
const container = (readinessProbe: object | undefined) => ({
  name: 'web',
  ports: [{ name: 'http', containerPort: 8080 }],
  ...(readinessProbe && { readinessProbe }),
});
const podOf = (readinessProbe: object | undefined, over: { status?: object; metadata?: object } = {}) => ({
  metadata: { ...over.metadata },
  spec: { containers: [container(readinessProbe)] },
  status: { podIP: '10.0.0.4', containerStatuses: [{ name: 'web', ready: true, state: running }], ...over.status },
});

const http = { httpGet: { port: 'http', path: '/ready' } };

describe('what of a pod is probed', () => {
  it('is each run with a probe, at the pod’s address and the number of its port', () =>
    expect(readinessTargets(podOf(http))).toEqual([
      {
        container: 'web',
        startedAt: '2026-11-23T12:00:00Z',
        ready: true,
        address: '10.0.0.4',
        port: 8080,
        probe: {
          handler: { kind: 'httpGet', path: '/ready', port: 'http', scheme: 'HTTP', headers: [] },
          initialDelaySeconds: 0,
          periodSeconds: 10,
          timeoutSeconds: 1,
          successThreshold: 1,
          failureThreshold: 3,
        },
      },
    ]));

  const beside = (more: object) => {
    const pod = podOf(http);
    return { ...pod, spec: { containers: pod.spec.containers.map((one) => ({ ...one, ...more })) } };
  };

  it('is a container whose liveness probe ACI makes', () =>
    expect(readinessTargets(beside({ livenessProbe: { exec: { command: ['a'] } } }))).toHaveLength(1));

  it('is no readiness probe beside one that the agent makes, which makes both', () =>
    expect(readinessTargets(beside({ livenessProbe: { tcpSocket: { port: 80 } } }))).toEqual([]));

  it.each<[string, unknown]>([
    ['without a probe', podOf(undefined)],
    ['with one at another host', podOf({ tcpSocket: { port: 80, host: 'a' } })],
    ['with one by exec', podOf({ exec: { command: ['a'] } })],
    ['with one of a port that has no such name', podOf({ tcpSocket: { port: 'web' } })],
    ['without an address', podOf(http, { status: { podIP: undefined } })],
    [
      'whose container waits',
      podOf(http, { status: { containerStatuses: [{ name: 'web', state: { waiting: {} } }] } }),
    ],
    ['that is deleted', podOf(http, { metadata: { deletionTimestamp: '2026-11-23T12:00:00Z' } })],
    ['that is none', '<html>'],
  ])('is nothing of a pod %s', (_, pod) => expect(readinessTargets(pod)).toEqual([]));
});
