import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { GroupWishes } from '../../../shared/core/pod/annotations/wishes.ts';
import type { NoServicesCredential } from '../../../shared/core/kubernetes/cluster-reach.ts';
import { listReferences } from '../../../shared/core/pod/references.ts';
import { groupServices } from '../../../shared/core/pod/services.ts';
import { parseJson } from '../../../shared/wire/json-text.ts';
import { podOf, subnetId } from './fixtures.ts';

const services = {
  clusterCidr: '10.244.0.0/16',
  server: 'https://api.example:443',
  secret: { namespace: 'sk', name: 'services-b' },
};
const credential = { secretUid: 'u-1', token: 'hush', caPem: 'PEM' };
const facts = { subnetId, services };
const plain: GroupWishes = { identities: [] };

const kubeconfigOf = (base64: string | undefined): unknown =>
  parseJson(Buffer.from(base64 ?? '', 'base64').toString('utf8'));

describe("ACI's kube-proxy", () => {
  it('is given the range of the pods, and a kubeconfig that holds all it needs', () => {
    const made = groupServices(facts, plain, credential);
    if (made.kind !== 'ok') throw new Error(made.message);
    const [extension] = made.value.extensions ?? [];
    expect(extension).toMatchObject({
      name: 'kube-proxy',
      extensionType: 'kube-proxy',
      version: '1.0',
      settings: { clusterCidr: '10.244.0.0/16', kubeVersion: 'v1.9.10' },
    });
    const kubeconfig = z
      .object({ clusters: z.array(z.unknown()), users: z.array(z.unknown()), contexts: z.array(z.unknown()) })
      .parse(kubeconfigOf(extension?.protectedSettings?.['kubeConfig']));
    expect(kubeconfig).toEqual({
      clusters: [
        { name: 'cluster', cluster: { server: 'https://api.example:443', 'certificate-authority-data': btoa('PEM') } },
      ],
      users: [{ name: 'services', user: { token: 'hush' } }],
      contexts: [{ name: 'services', context: { cluster: 'cluster', user: 'services' } }],
    });
  });

  it('has its token where ARM never shows it, and nowhere else', () => {
    const made = groupServices(facts, plain, credential);
    if (made.kind !== 'ok') throw new Error(made.message);
    const shown = JSON.stringify(made.value, (key, value: unknown) =>
      key === 'protectedSettings' ? undefined : value,
    );
    expect(shown).not.toContain('hush');
    expect(shown).not.toContain(btoa('hush').slice(0, 5));
    expect(made.value.tags).toEqual({ 'serverless-kubelet-services': 'services-b/u-1' });
  });

  it.each<[string, Partial<typeof facts>, Partial<GroupWishes>]>([
    ['outside of every subnet', { services }, {}],
    ['where the cluster is registered without', { subnetId }, {}],
    ['by annotation', facts, { kubeProxy: false }],
    ['of a Confidential group', facts, { sku: 'Confidential' }],
    ['of a group with a policy', facts, { ccePolicy: 'cG9saWN5' }],
  ])('is not there %s, and no credential is waited for', (_, place, wishes) => {
    expect(groupServices(place, { ...plain, ...wishes }, undefined)).toEqual({ kind: 'ok', value: { tags: {} } });
  });

  it.each<[NoServicesCredential['missing'], string]>([
    ['absent', 'the Secret sk/services-b with the token of the Services does not exist: run serverless-kubelet attach'],
    ['denied', 'the app may not read the Secret sk/services-b'],
    ['empty', 'the Secret sk/services-b with the token of the Services has no token yet'],
  ])('waits for a credential that is %s, and says how to do without', (missing, message) => {
    const made = groupServices(facts, plain, { missing });
    expect(made).toMatchObject({ kind: 'waiting', reason: 'CreateContainerConfigError' });
    expect(made.kind === 'waiting' && made.message).toContain(message);
    expect(made.kind === 'waiting' && made.message).toContain('injectkubeproxy: "false"');
  });
});

describe('the Secret of the Services', () => {
  const prefix = 'microsoft.containerinstance.virtualnode.';
  it.each<[string, Record<string, string>, boolean]>([
    ['in the subnet of the node', {}, true],
    ['outside of it by annotation', { [`${prefix}subnets.primary`]: 'none' }, false],
    ['with an annotation against it', { [`${prefix}injectkubeproxy`]: 'false' }, false],
    ['with an annotation for it', { [`${prefix}injectkubeproxy`]: 'True' }, true],
  ])('is read for a pod %s', (_, annotations, isRead) => {
    const pod = podOf({});
    const asked = { ...pod, metadata: { ...pod.metadata, annotations } };
    expect(listReferences(asked, facts).servicesSecret).toEqual(isRead ? services.secret : undefined);
  });
});
