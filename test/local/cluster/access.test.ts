import { describe, expect, it } from 'vitest';
import { accessObjects } from '../../../infra/local/cluster/access.ts';
import { tokenExpiry } from '../../../infra/local/cluster/attach.ts';
import {
  clientCertificateKubeconfig,
  parseOwnKubeconfig,
  tokenKubeconfig,
} from '../../../infra/local/cluster/kubeconfig.ts';

const nodes = ['aci-1', 'aci-2'];
const options = { namespace: 'sk', nodes, appServiceAccount: 'app', relayServiceAccount: 'relay' };

describe('the objects of an installation without its chart', () => {
  it('bind each role of app and relay to its account of the namespace; a relay that is alone elects nobody', () => {
    const bindings = accessObjects(options).filter((object) => object.roleRef !== undefined);
    expect(bindings.map((object) => [object.roleRef?.name, object.subjects?.map((subject) => subject.name)])).toEqual([
      ['sk-app', ['app']],
      ['sk-relay', ['relay']],
      ['sk-relay-leases', ['relay']],
    ]);
  });

  it('have the account of the Services with a Secret for its token, where pods reach Services', () => {
    const objects = accessObjects({ ...options, services: true });
    const bound = objects.filter(({ roleRef }) => roleRef !== undefined);
    expect(bound.map(({ roleRef, subjects }) => [roleRef?.name, subjects?.map(({ name }) => name)])).toEqual([
      ['sk-app', ['app']],
      ['sk-relay', ['relay']],
      ['sk-relay-leases', ['relay']],
      ['sk-services', ['services']],
      ['services-credential', ['app']],
    ]);
    expect(objects.at(-1)).toMatchObject({
      kind: 'Secret',
      metadata: { name: 'services-a', annotations: { 'kubernetes.io/service-account.name': 'services' } },
    });
  });

  it('come in the order in which they have to be created', () => {
    const kinds = accessObjects(options).map(({ kind }) => kind);
    expect(kinds.slice(0, 3)).toEqual(['Namespace', 'ServiceAccount', 'ServiceAccount']);
    for (const binding of ['ClusterRoleBinding', 'RoleBinding'])
      expect(kinds.indexOf(binding)).toBe(kinds.indexOf(binding.replace('Binding', '')) + 1);
  });
});

describe('kubeconfigs of our own', () => {
  const cluster = { url: 'https://127.0.0.1:6443', caPem: 'CA' };

  it('are read as they are written', () => {
    expect(parseOwnKubeconfig(tokenKubeconfig(cluster, 'app', 't'))).toEqual({
      endpoint: cluster,
      credential: { token: 't' },
    });
    const certificate = { certPem: 'C', keyPem: 'K' };
    expect(parseOwnKubeconfig(clientCertificateKubeconfig(cluster, 'admin', certificate))).toEqual({
      endpoint: cluster,
      credential: { certificate },
    });
  });
});

it("a token's end is that of its claim", () => {
  const payload = Buffer.from(JSON.stringify({ exp: 1_800_000_000 })).toString('base64url');
  expect(tokenExpiry(`x.${payload}.y`)).toEqual(new Date(1_800_000_000_000));
  expect(() => tokenExpiry('garbage')).toThrow(/JSON/);
});
