import { describe, expect, it } from 'vitest';
import { filesOf, parseConfig } from '../../infra/cluster/relay/config.ts';

const least = {
  clusterUid: '6f0f5a9e-7d3c-4a52-9a55-0d0f9a3a2c11',
  app: { url: 'https://app.example', tokenFile: '/tokens/app' },
  nodes: [{ name: 'aci-1', port: 10_250 }],
  serving: { certFile: '/tls/tls.crt', keyFile: '/tls/tls.key' },
  kubeletClientCaFile: '/ca/ca.crt',
};

const faultsOf = (over: object): readonly string[] => {
  const parsed = parseConfig(JSON.stringify({ ...least, ...over }));
  return parsed.ok ? [] : parsed.faults;
};

describe('the configuration', () => {
  it('is that of a pod in the cluster, unless given', () => {
    const parsed = parseConfig(JSON.stringify(least));
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        apiServer: {
          url: 'https://kubernetes.default.svc',
          caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
          tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
        },
        listenAddress: '0.0.0.0',
        health: { address: '127.0.0.1', port: 10_248 },
      },
    });
  });

  it('names every file that it needs', () => {
    const own = { certFile: '/own/tls.crt', keyFile: '/own/tls.key' };
    const nodes = [{ name: 'aci-1', port: 1, serving: own }];
    const app = { ...least.app, caFile: '/ca/app.crt' };
    const parsed = parseConfig(JSON.stringify({ ...least, nodes, app, aci: { caFile: '/ca/aci.crt' } }));
    const files = parsed.ok ? filesOf(parsed.value).map(({ path }) => path) : [];
    expect(files).toEqual(
      expect.arrayContaining(['/own/tls.key', '/ca/app.crt', '/ca/aci.crt', '/tls/tls.crt', '/tokens/app']),
    );
  });

  it('reports all faults at once, each with its member', () => {
    const faults = faultsOf({ clusterUid: 'x', nodes: [], surprise: 1, listenAddress: 'localhost' });
    for (const member of ['clusterUid', 'nodes', 'listenAddress']) expect(faults.join('\n')).toContain(`${member}: `);
    expect(faults.join('\n')).toContain('surprise');
  });

  it.each([
    ['a token over plain http to another machine', { app: { ...least.app, url: 'http://app.example' } }, 'app.url'],
    ['an API server over plain http', { apiServer: { url: 'http://10.0.0.1' } }, 'apiServer.url'],
    ['two nodes of one name', { nodes: [...least.nodes, { name: 'aci-1', port: 1 }] }, 'nodes'],
    ['two nodes on one port', { nodes: [...least.nodes, { name: 'aci-2', port: 10_250 }] }, 'nodes'],
    ['a port that is none', { nodes: [{ name: 'aci-1', port: 70_000 }] }, 'nodes.0.port'],
    ['a node name that is none', { nodes: [{ name: 'A_1', port: 1 }] }, 'nodes.0.name'],
    ['a missing certificate', { serving: { certFile: '/tls/tls.crt' } }, 'serving.keyFile'],
  ])('refuses %s', (_what, over, member) => {
    const faults = faultsOf(over);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(`${member}: `);
  });

  it.each([['http://127.0.0.1:7071'], ['http://localhost:7071'], ['http://[::1]:7071']])('takes %s', (url) =>
    expect(faultsOf({ app: { ...least.app, url } })).toEqual([]),
  );

  it.each([[''], ['{'], ['[]'], ['null']])('%j is refused', (text) => expect(parseConfig(text).ok).toBe(false));
});
