import { describe, expect, it } from 'vitest';
import type { ApiAnswer, ApiRequest, ClusterApi } from '../../../../infra/cli/cluster/api.ts';
import type { ClusterFault } from '../../../../infra/cli/cluster/cluster-fault.ts';
import { findSkew, refuseSkew } from '../../../../infra/cli/inspect/version-skew.ts';
import packageJson from '../../../../package.json' with { type: 'json' };

describe('program, chart and app', () => {
  it.each<[string, string | undefined, readonly string[]]>([
    ['1.2.0', undefined, []],
    ['1.2.0', '1.2.9', ['1.2.3', '1.2.0']],
    ['1.2.0', '1.1.0', ['1.2.0']],
    ['1.2.0', 'dev', ['dev']],
  ])('of %s, %s and %j go together', (program, chart, apps) => {
    expect(findSkew(program, { chart, apps })).toBeUndefined();
  });

  it.each<[string, Parameters<typeof findSkew>[1], string, string]>([
    [
      '1.2.0',
      { chart: '1.3.0', apps: ['1.2.0'] },
      'the chart in the cluster is of release 1.3.0, and this program of 1.2.0, which is older',
      'use the program of release 1.3.0',
    ],
    [
      '1.9.0',
      { chart: undefined, apps: ['1.10.0'] },
      'the app is of release 1.10.0, and this program of 1.9.0, which is older',
      'use the program of release 1.10.0',
    ],
    [
      '2.0.0',
      { chart: '1.9.0', apps: ['1.9.0'] },
      'the app is of release 1.9.0, and this program of 2.0.0, which is newer',
      'publish the app of release 2.0.0 first (docs/deploy.md, Upgrade; its Nodes report it within a minute), or use the program of release 1.9.0',
    ],
  ])('of %s and %j do not', (program, running, problem, fix) => {
    expect(findSkew(program, running)).toEqual({ problem, fix });
  });
});

const deployment = (version: string) => ({
  metadata: { labels: { 'helm.sh/chart': `serverless-kubelet-${version}` } },
  spec: { replicas: 2 },
});
const node = (name: string, owner: string, kubeletVersion: string) => ({
  metadata: { name, uid: name, resourceVersion: '1', annotations: { 'serverless-kubelet.io/owner': owner } },
  spec: {},
  status: { nodeInfo: { kubeletVersion } },
});
const listed = (...items: readonly object[]) => ({ kind: 'NodeList', metadata: {}, items });

/** An API server that has these, by the ends of their paths. */
function contextOf(objects: Readonly<Record<string, object | ClusterFault>>): { readonly api: ClusterApi } {
  const unused = (): Promise<never> => Promise.reject(new Error('not asked for'));
  const send = async ({ path }: ApiRequest): Promise<ApiAnswer | ClusterFault> => {
    const found = Object.entries(objects).find(([end]) => path.endsWith(end))?.[1];
    if (found === undefined) return { kind: 'not-found', message: path };
    return 'kind' in found && found.kind === 'forbidden' && 'message' in found
      ? { kind: 'forbidden', message: found.message }
      : { kind: 'answered', status: 200, text: JSON.stringify(found) };
  };
  return { api: { contexts: unused, place: unused, send } };
}

const wants = { installation: 'weu', namespace: 'serverless-kubelet' };
const own = packageJson.version;

describe('a command', () => {
  it.each<[string, Readonly<Record<string, object | ClusterFault>>]>([
    ['nothing is there', {}],
    [
      'all is of its own release',
      { '/relay': deployment(own), '/nodes': listed(node('a', 'weu', `v1.36.3-aci.${own}`)) },
    ],
    ['what is newer belongs to another installation', { '/nodes': listed(node('a', 'neu', 'v1.36.3-aci.99.0.0')) }],
    [
      'Nodes are those of VMs, or not to be read',
      { '/nodes': listed({ metadata: { name: 'vm' } }, node('b', '', 'v1.36.3')) },
    ],
    [
      'nothing may be read',
      { '/relay': { kind: 'forbidden', message: 'no' }, '/nodes': { kind: 'forbidden', message: 'no' } },
    ],
  ])('goes on where %s', async (_, objects) => {
    await expect(refuseSkew(contextOf(objects), wants)).resolves.toBeUndefined();
  });

  it.each<[string, Readonly<Record<string, object>>, RegExp]>([
    [
      'its chart',
      { '/relay': deployment('99.0.0') },
      /^the chart in the cluster is of release 99\.0\.0, and this program/,
    ],
    ['its app', { '/nodes': listed(node('a', 'weu', 'v1.36.3-aci.99.0.0')) }, /^the app is of release 99\.0\.0/],
    ['an older app', { '/nodes': listed(node('a', 'weu', 'v1.36.3-aci.0.0.1')) }, /0\.0\.1, .* which is newer$/],
  ])('stops before %s of another release', async (_, objects, sentence) => {
    await expect(refuseSkew(contextOf(objects), wants)).rejects.toThrow(sentence);
  });
});
