import { describe, expect, it } from 'vitest';
import type { Deps } from '../../shared/app/deps.ts';
import type { GroupBody } from '../../shared/core/group/group.ts';
import { subnetId } from '../core/pod/fixtures.ts';
import { registration } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';

const reach = {
  dns: { nameServers: ['10.0.0.10'], domain: 'cluster.local', viaServices: true },
  services: { clusterCidr: '10.244.0.0/16', credential: 'services-a' },
};
const ref = { namespace: 'kube-system', name: 'services-a' };
const filled = { token: 'hush', 'ca.crt': 'PEM', namespace: 'kube-system' };

async function worldInReach() {
  const bodies: GroupBody[] = [];
  const wrap = (deps: Deps): Deps => {
    const createOrUpdate: Deps['groups']['createOrUpdate'] = (name, body, signal, options) => {
      bodies.push(body);
      return deps.groups.createOrUpdate(name, body, signal, options);
    };
    return { ...deps, groups: { ...deps.groups, createOrUpdate } };
  };
  const clusters = JSON.stringify([registration([{ name: 'aci-1' }], reach)]);
  return { world: await createWorld({ wrap, settings: { ACI_SUBNET_ID: subnetId, CLUSTERS: clusters } }), bodies };
}

describe('a pod that is to reach Services', () => {
  it('waits until the Secret with their token is there, and runs then', async () => {
    const { world, bodies } = await worldInReach();
    world.createPod('quick-0');
    await world.run(10);
    expect(world.statusOf()).toBe('Pending, main: CreateContainerConfigError');
    expect(world.pod()?.status.containerStatuses[0]?.state).toMatchObject({
      message: expect.stringContaining('the Secret kube-system/services-a'),
    });
    world.cluster.references.putSecret(ref, {}, 'kubernetes.io/service-account-token');
    await world.run(60);
    expect(world.statusOf()).toBe('Pending, main: CreateContainerConfigError');
    expect(bodies).toEqual([]);
    world.cluster.references.putSecret(ref, filled, 'kubernetes.io/service-account-token');
    await world.run(300);
    expect(world.statusOf()).toMatch(/^Succeeded/);
    expect(bodies).toMatchObject([
      {
        tags: { 'serverless-kubelet-services': expect.stringMatching(/^services-a\/[-0-9a-f]{36}$/) },
        dnsConfig: { nameServers: ['10.0.0.10'] },
        extensions: [{ extensionType: 'kube-proxy' }, { extensionType: 'realtime-metrics' }],
      },
    ]);
  });
});
