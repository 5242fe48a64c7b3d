import { expect, it } from 'vitest';
import { createWorld } from './world.ts';

const pem = (base64: string): string => `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;

it('a pod with a trust bundle waits until it is served and there, says so, and then runs', async () => {
  const world = await createWorld();
  const { references } = world.cluster;
  const sources = [{ clusterTrustBundle: { name: 'roots', path: 'ca.pem' } }];
  const containers = [{ name: 'main', image: 'serves', volumeMounts: [{ name: 'ca', mountPath: '/ca' }] }];
  world.createPod('serves', { containers, volumes: [{ name: 'ca', projected: { sources } }] });
  await world.run(30);
  expect(world.statusOf()).toBe('Pending, main: ContainerCreating');
  references.putTrustBundle('others', 'example.com/a', pem('AAAA'));
  await world.run(60);
  expect(world.events('FailedMount')).toEqual([
    'FailedMount: MountVolume.SetUp failed for volume "ca" : the API server serves no ClusterTrustBundles (feature gates ClusterTrustBundle and ClusterTrustBundleProjection, API certificates.k8s.io/v1beta1)',
    'FailedMount: MountVolume.SetUp failed for volume "ca" : while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "roots" not found',
  ]);
  references.putTrustBundle('roots', 'example.com/a', pem('BBBB'));
  await world.run(60);
  expect(world.statusOf()).toBe('Running, main: running');
});
