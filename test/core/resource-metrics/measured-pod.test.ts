import { describe, expect, it } from 'vitest';
import type { ContainerStatus, Pod } from '../../../shared/core/kubernetes/pod.ts';
import { measuredPod } from '../../../shared/core/resource-metrics/measured-pod.ts';
import { parsePod } from '../../../shared/wire/pod.ts';

const prefix = 'microsoft.containerinstance.virtualnode.';
const startedAt = '2026-11-23T12:00:00Z';
const running = { running: { startedAt } };

function podOf(changes: {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly status?: object;
}): Pod {
  const json = {
    metadata: { name: 'web', namespace: 'default', uid: 'u-1', annotations: changes.annotations ?? {} },
    spec: {
      nodeName: 'aci-1',
      containers: [{ name: 'app', image: 'i', resources: { requests: { cpu: '1500m', memory: '2Gi' } } }],
      ...changes.spec,
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.4',
      startTime: '2026-11-23T11:59:50Z',
      containerStatuses: [{ name: 'app', state: running }],
      ...changes.status,
    },
  };
  // As it comes over the wire: what is undefined is not there.
  const pod = parsePod(JSON.parse(JSON.stringify(json)));
  if (pod === undefined) throw new Error('no pod');
  return pod;
}

const statusOf = (name: string, state: object): Pick<ContainerStatus, 'name'> & { readonly state: object } => ({
  name,
  state,
});

describe('what there is to measure of a pod', () => {
  it('is each container that runs, with what its group has, at its address', () => {
    expect(measuredPod(podOf({}))).toEqual({
      node: 'aci-1',
      namespace: 'default',
      name: 'web',
      uid: 'u-1',
      startedAt: '2026-11-23T11:59:50Z',
      containers: [{ name: 'app', startedAt }],
      most: { cores: 1.5, bytes: 2.2 * 2 ** 30 },
      address: '10.0.0.4',
    });
  });

  it('is a sidecar too, and nothing that waits, has ended, is not of the pod, or began at no time', () => {
    const spec = {
      initContainers: [
        { name: 'side', image: 'i', restartPolicy: 'Always' },
        { name: 'once', image: 'i' },
      ],
      containers: ['app', 'waits', 'ended', 'timeless'].map((name) => ({ name, image: 'i' })),
    };
    const status = {
      initContainerStatuses: [statusOf('side', running), statusOf('once', { terminated: { exitCode: 0 } })],
      containerStatuses: [
        statusOf('app', running),
        statusOf('waits', { waiting: { reason: 'x' } }),
        statusOf('ended', { terminated: { exitCode: 1 } }),
        statusOf('timeless', { running: {} }),
        statusOf('agent', running),
      ],
    };
    expect(measuredPod(podOf({ spec, status }))?.containers.map(({ name }) => name)).toEqual(['side', 'app']);
  });

  it('is nothing where nothing runs', () => {
    expect(measuredPod(podOf({ status: { containerStatuses: [] } }))).toBeUndefined();
  });

  it.each<[string, Parameters<typeof podOf>[0]]>([
    ['has no address', { status: { podIP: undefined } }],
    ['has an empty one', { status: { podIP: '' } }],
    ['is outside of the subnet by annotation', { annotations: { [`${prefix}subnets.primary`]: 'none' } }],
    ['has a public address', { annotations: { 'virtualkubelet.io/dnsnamelabel': 'team-a-web' } }],
    ['has an annotation against it', { annotations: { [`${prefix}injectrealtimemetrics`]: 'false' } }],
    ['is Confidential', { annotations: { 'virtual-kubelet.io/container-sku': 'confidential' } }],
  ])('one that %s is not asked itself', (_, changes) => {
    const measured = measuredPod(podOf(changes));
    expect(measured?.containers).toHaveLength(1);
    expect(measured).not.toHaveProperty('address');
  });
});
