import { describe, expect, it } from 'vitest';
import { accessObjects, appRules, relayLeaseRules, relayRules } from '../../../infra/local/cluster/access.ts';
import { tokenExpiry } from '../../../infra/local/cluster/attach.ts';
import {
  clientCertificateKubeconfig,
  parseKubeconfigView,
  tokenKubeconfig,
} from '../../../infra/local/cluster/kubeconfig.ts';

const nodes = ['aci-1', 'aci-2'];
const options = { namespace: 'sk', nodes, appServiceAccount: 'app', relayServiceAccount: 'relay' };

describe('the rights of an installation', () => {
  it('let the app impersonate its nodes, by name, and no group but that of nodes', () => {
    const impersonated = appRules(nodes).filter((rule) => rule.verbs.includes('impersonate'));
    expect(impersonated.map((rule) => [rule.resources[0], rule.resourceNames])).toEqual([
      ['users', ['system:node:aci-1', 'system:node:aci-2']],
      ['groups', ['system:nodes']],
    ]);
  });

  it('name every object of the app and of the Leases', () => {
    const rules = [...appRules(nodes), ...relayLeaseRules(nodes)];
    expect(rules.filter((rule) => (rule.resourceNames ?? []).length === 0)).toEqual([]);
  });

  it('hold no wildcard, no Secret and no ConfigMap', () => {
    const rules = [...appRules(nodes), ...relayRules(nodes), ...relayLeaseRules(nodes)];
    const words = rules.flatMap((rule) => [...rule.apiGroups, ...rule.resources, ...rule.verbs]);
    expect(words.filter((word) => ['*', 'secrets', 'configmaps', 'escalate', 'bind'].includes(word))).toEqual([]);
  });

  it('are bound to the accounts of the namespace only, each role to one', () => {
    const bindings = accessObjects(options).filter((object) => object.roleRef !== undefined);
    expect(bindings.map((object) => [object.roleRef?.name, object.subjects?.map((subject) => subject.name)])).toEqual([
      ['sk-app', ['app']],
      ['sk-relay', ['relay']],
      ['sk-relay-leases', ['relay']],
    ]);
  });

  it('are refused without a node: an empty list of names would mean every node', () => {
    expect(() => accessObjects({ ...options, nodes: [] })).toThrow(/at least one node/);
  });
});

describe('kubeconfigs', () => {
  const cluster = { url: 'https://127.0.0.1:6443', caPem: 'CA' };

  it('are read as they are written', () => {
    expect(parseKubeconfigView(tokenKubeconfig(cluster, 'app', 't'))).toEqual(cluster);
    const pair = { certPem: 'C', keyPem: 'K' };
    expect(parseKubeconfigView(clientCertificateKubeconfig(cluster, 'admin', pair))).toEqual(cluster);
  });

  it('may name no CA: the system decides', () => {
    const json = JSON.stringify({ clusters: [{ cluster: { server: 'https://aks.example:443/' } }] });
    expect(parseKubeconfigView(json)).toEqual({ url: 'https://aks.example:443', caPem: '' });
  });
});

it("a token's end is that of its claim", () => {
  const payload = Buffer.from(JSON.stringify({ exp: 1_800_000_000 })).toString('base64url');
  expect(tokenExpiry(`x.${payload}.y`)).toEqual(new Date(1_800_000_000_000));
  expect(() => tokenExpiry('garbage')).toThrow(/JSON/);
});
