import { describe, expect, it } from 'vitest';
import type { VolumeData } from '../../shared/core/kubernetes/storage.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const volume: Omit<VolumeData, 'claimUid'> = {
  name: 'pv',
  mountOptions: [],
  source: {
    kind: 'azureFile',
    shareName: 's',
    secret: { namespace: 'default', name: 'account' },
    readOnly: false,
    unsupported: undefined,
  },
};
const ref = { namespace: 'default', name: 'store' };

function createPod(world: World): void {
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'store' } }];
  const volumeMounts = [{ name: 'data', mountPath: '/data' }];
  const containers = [
    // The Secret that the volume names is the node's to read by the claim; this world knows those that a pod names.
    {
      name: 'main',
      image: 'serves',
      volumeMounts,
      env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'account', key: 'azurestorageaccountname' } } }],
    },
  ];
  world.createPod('serves', { containers, volumes });
}

describe('a pod with a claim', () => {
  it('waits until it is bound, says so as a kubelet does, and then runs with the share', async () => {
    const world = await createWorld();
    const { references } = world.cluster;
    references.putSecret(
      { namespace: 'default', name: 'account' },
      { azurestorageaccountname: 'acc', azurestorageaccountkey: 'hush' },
    );
    references.putClaim(ref, {});
    createPod(world);
    await world.run(30);
    expect(world.statusOf()).toBe('Pending, main: ContainerCreating');
    expect(world.events('FailedMount')).toEqual([
      'FailedMount: Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[data]: error processing PVC default/store: PVC is not bound',
    ]);
    references.putClaim(ref, {}, volume);
    await world.run(60);
    expect(world.statusOf()).toBe('Running, main: running');
    expect(world.groups.names()).toHaveLength(1);
  });

  it('of a disk is refused, with the way out', async () => {
    const world = await createWorld();
    world.cluster.references.putClaim(ref, {}, { ...volume, source: { kind: 'other', driver: 'disk.csi.azure.com' } });
    world.cluster.references.putSecret({ namespace: 'default', name: 'account' }, { azurestorageaccountname: 'a' });
    createPod(world);
    await world.run(10);
    expect(world.statusOf()).toMatch(/^Failed UnsupportedPodSpec/);
    expect(world.pod()?.status.message).toContain('use a StorageClass of file.csi.azure.com');
  });
});
