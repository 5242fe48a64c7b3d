import { describe, expect, it } from 'vitest';
import { tokenKubeconfig } from '../../../infra/local/cluster/kubeconfig.ts';
import { containerBody, createBench, groupBody, subscription } from './harness.ts';

const subnet = `/subscriptions/${subscription}/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/s`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const kubeConfig = base64(tokenKubeconfig({ url: 'https://10.0.0.1:6443', caPem: 'CA' }, 'proxy', 'hunter2'));
const settings = { clusterCidr: '10.244.0.0/16', kubeVersion: 'v1.9.10' };
const kubeProxy = {
  name: 'kube-proxy',
  properties: { extensionType: 'kube-proxy', version: '1.0', settings, protectedSettings: { kubeConfig } },
};
const changed = (changes: object): object => ({
  ...kubeProxy,
  properties: { ...kubeProxy.properties, ...changes },
});
const having = (extensions: object[], properties: object = {}): object =>
  groupBody({ subnetIds: [{ id: subnet }], extensions, ...properties });

describe('extensions of a group in a subnet', () => {
  it('come back with their settings, without what is protected', async () => {
    const bench = createBench();
    const { protectedSettings: _, ...shown } = kubeProxy.properties;
    const put = await bench.running('g', having([kubeProxy]));
    expect(put.status).toBe(201);
    for (const answer of [put, await bench.get('g')]) {
      expect(answer.body.properties['extensions']).toEqual([{ name: 'kube-proxy', properties: shown }]);
      expect(JSON.stringify(answer.body)).not.toContain(kubeConfig);
    }
  });

  it('may be of the type realtime-metrics, which needs nothing', async () => {
    const metrics = { name: 'm', properties: { extensionType: 'realtime-metrics', version: '1.0' } };
    expect((await createBench().put('g', having([kubeProxy, metrics]))).status).toBe(201);
  });

  it.each<[string, object]>([
    ['in no subnet', groupBody({ extensions: [kubeProxy] })],
    ['of Windows', having([kubeProxy], { osType: 'Windows', containers: [containerBody('c')] })],
    ['without a name', having([{ ...kubeProxy, name: undefined }])],
    ['without a type', having([changed({ extensionType: undefined })])],
    ['of an unknown type', having([changed({ extensionType: 'log-shipper' })])],
    ['without a version', having([changed({ version: undefined })])],
    ['without properties', having([{ name: 'kube-proxy' }])],
    ['with one type twice', having([kubeProxy, { ...kubeProxy, name: 'other' }])],
    ['without a kubeconfig', having([changed({ protectedSettings: undefined })])],
    ['with an empty kubeconfig', having([changed({ protectedSettings: { kubeConfig: '' } })])],
    ['with a kubeconfig that is no text', having([changed({ protectedSettings: { kubeConfig: 1 } })])],
    ['with a kubeconfig that is not base64', having([changed({ protectedSettings: { kubeConfig: '{"a":1}' } })])],
    ['with base64 of no kubeconfig', having([changed({ protectedSettings: { kubeConfig: base64('{"a":1}') } })])],
  ])('are refused %s', async (_, body) => {
    const bench = createBench();
    const { status, body: answer } = await bench.put('g', body);
    expect([status, answer.error.code]).toEqual([400, 'InvalidRequestContent']);
    expect(JSON.stringify(answer)).not.toContain(kubeConfig);
    expect((await bench.get('g')).status).toBe(404);
  });
});
