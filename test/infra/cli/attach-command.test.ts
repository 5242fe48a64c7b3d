/** `attach` from its options to what it prints, over an Azure, a cluster and registrations in memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attachCommand } from '../../../infra/cli/attach/command.ts';
import type { CliContext } from '../../../infra/cli/context.ts';
import { networkOf } from '../../../infra/cli/cluster/aks-network.ts';
import { parseOptions } from '../../../infra/cli/options.ts';
import { createOutput, parseFormat } from '../../../infra/cli/output.ts';
import { failure } from '../../../infra/cli/stop.ts';
import { createMemoryRegistrations } from '../../../infra/local/sim/memory-registrations.ts';
import { subnetIdExample } from '../../../shared/core/resource-id.ts';
import { formatRegistrations, parseSettings } from '../../../shared/wire/settings.ts';
import { clusterUid, settingsOf } from '../../fixtures/settings.ts';
import { azureOver, newAzure } from './azure-stand-in.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'attach-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const source = { kind: 'azure', app: 'kubelet', resourceGroup: 'apps', subscription: undefined } as const;
const none = (what: string) => () => Promise.reject(failure(`no ${what} here`));

const paths: Record<string, object> = {
  '/version': { gitVersion: 'v1.36.3' },
  '/api/v1/namespaces/kube-system': {
    kind: 'Namespace',
    metadata: { name: 'kube-system', uid: clusterUid, resourceVersion: '1' },
  },
  '/api/v1/namespaces/serverless-kubelet': { metadata: { name: 'serverless-kubelet' } },
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews': {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    status: { allowed: true },
  },
};

/** What happens when a path is asked for. */
const onAsk: Record<string, () => void> = {};

const api: CliContext['api'] = {
  contexts: () => Promise.resolve({ current: 'here', contexts: [] }),
  place: () => Promise.resolve({ name: 'prod', server: 'https://api.example:6443', caPem: undefined }),
  send: ({ path }) => {
    onAsk[path]?.();
    const found = paths[path];
    return Promise.resolve(
      found === undefined
        ? { kind: 'not-found', message: 'it is not there' }
        : { kind: 'answered', status: 200, text: JSON.stringify(found) },
    );
  },
};

/** Everything that stays from one run to the next. */
function createPlace() {
  const [azure, registrations] = [newAzure(), createMemoryRegistrations()];
  const { az, changes } = azureOver(azure);
  const settings: Record<string, string> = { CLUSTERS: '[]' };
  const run = async (...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> => {
    const written = { stdout: '', stderr: '' };
    const stream = (name: keyof typeof written) => ({ write: (text: string) => void (written[name] += text) });
    // An agent that this working copy may have been packaged with is not this test's.
    const agent = args.includes('--agent') ? [] : ['--agent', 'none'];
    const always = ['--nodes', 'aci-1', '--keep-chart', '--wait', 'none', '--node-address', '10.0.0.7', '--app-url'];
    // Nobody listens there: what the app itself says is not this test's.
    const options = parseOptions([...always, 'http://127.0.0.1:9', ...agent, ...args], attachCommand.options);
    const values = settingsOf(undefined, settings);
    const parsed = parseSettings(values);
    if (!parsed.ok) throw new Error('the settings are not valid');
    const context: CliContext = {
      options,
      out: createOutput({
        stdout: stream('stdout'),
        stderr: stream('stderr'),
        format: parseFormat(options.text('output')),
        environment: {},
      }),
      environment: {},
      signal: new AbortController().signal,
      stdin: () => Readable.from([]),
      az,
      app: () => Promise.resolve({ source, values, settings: parsed.settings }),
      settings: () => Promise.resolve(parsed.settings),
      probeRecords: () => Promise.resolve(undefined),
      registrations: () => Promise.resolve(registrations),
      groups: none('groups'),
      store: none('store'),
      table: none('table'),
      api,
      kubectl: none('kubectl'),
      helm: none('helm'),
      useKubeconfig: () => undefined,
    };
    await attachCommand.run(context);
    return written;
  };
  const grantsOf = async () => {
    const read = await registrations.get(undefined, new AbortController().signal);
    return read.ok && read.value.kind === 'read' ? read.value.clusters.map(({ grants }) => grants) : undefined;
  };
  return { run, changes, azure, settings, grantsOf, registrations };
}

function grantsFile(text: string): string {
  const file = join(dir, 'grants.yaml');
  writeFileSync(file, text);
  return file;
}

describe('attach', () => {
  it('shows with --dry-run what a registry and a file of grants would change, and changes nothing', async () => {
    const { run, changes, grantsOf } = createPlace();
    const args = [
      '--dry-run',
      '--acr',
      'prodimages',
      '--grants',
      grantsFile('[{namespace: team-a, publicAddress: true}]'),
    ];
    const { stdout } = await run(...args);
    expect(stdout.split('\n').filter((line) => /^(registries|grant|no grants)/.test(line))).toEqual([
      'registries: would make the identity serverless-kubelet-sk-pull in the resource group apps',
      'registries: would give serverless-kubelet-sk-pull the role AcrPull at prodimages.azurecr.io',
      'registries: would let the app give serverless-kubelet-sk-pull to container groups (Managed Identity Operator at that identity)',
      'registries: would attach serverless-kubelet-sk-pull to the app',
      'registries: would write serverless-kubelet-sk-pull into REGISTRY_PULL_IDENTITIES for prodimages.azurecr.io, and into REGISTRY_PULL_CLIENT_ID',
      'grant to team-a: a public address',
    ]);
    const json: unknown = JSON.parse((await run(...args, '--output', 'json')).stdout);
    expect(json).toMatchObject({
      registries: expect.arrayContaining([expect.stringMatching(/^make the identity/)]),
      grants: [{ namespace: 'team-a', publicAddress: true }],
    });
    expect([changes, await grantsOf()]).toEqual([[], []]);
  });

  it('does it, says so, keeps the grants without the option, and takes them away with an empty list', async () => {
    const { run, changes, azure, grantsOf } = createPlace();
    const first = await run(
      '--acr',
      'prodimages',
      '--grants',
      grantsFile('[{namespace: team-a, logAnalytics: [audit]}]'),
    );
    expect(changes).toHaveLength(5);
    expect(azure.attached).toHaveLength(1);
    expect(first.stdout).toMatch(
      /prod is attached: identity serverless-kubelet-sk-pull made, .*, registration written\n/,
    );
    expect(first.stdout).toMatch(/^grant to team-a: workspace audit$/m);
    expect(first.stderr).toMatch(
      /a grant names the workspace audit, which the app's setting LOG_ANALYTICS_WORKSPACES has not/,
    );
    const { stdout } = await run('--output', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      changes: [],
      grants: [{ namespace: 'team-a', logAnalytics: ['audit'] }],
    });
    const last = await run('--grants', grantsFile('[]'), '--dry-run');
    expect(last.stdout).toMatch(/^no grants: pods may name no identity, subnet, workspace or public address$/m);
    await run('--grants', grantsFile('[]'));
    expect(await grantsOf()).toEqual([undefined]);
  });

  it('says how pods reach names and Services, and asks Azure for the ranges only where there is a subnet', async () => {
    const { run, azure, settings, registrations } = createPlace();
    expect((await run('--dry-run')).stdout).toContain('the app has no ACI_SUBNET_ID');
    settings['ACI_SUBNET_ID'] = subnetIdExample;
    azure.networks = { [networkOf(subnetIdExample)]: [{ id: subnetIdExample, addressPrefix: '10.0.8.0/24' }] };
    paths['/apis/networking.k8s.io/v1/servicecidrs'] = { items: [{ spec: { cidrs: ['10.0.0.0/16'] } }] };
    await expect(run('--services', 'on')).rejects.toThrow(
      "the Services' range 10.0.0.0/16 and the subnet 10.0.8.0/24 overlap: pods reach one of both only",
    );
    azure.networks = { [networkOf(subnetIdExample)]: [{ id: subnetIdExample, addressPrefixes: ['10.241.0.0/24'] }] };
    const args = ['--services', 'on', '--dns', '10.0.0.10'];
    await expect(run(...args)).rejects.toThrow(/no Secret services-a with a token, which --keep-chart does not make/);
    const dry = await run(...args, '--dry-run', '--output', 'json');
    expect(JSON.parse(dry.stdout)).toMatchObject({
      chartValues: { services: { enabled: true, credentials: ['services-a'] } },
      dns: { nameServers: ['10.0.0.10'], domain: 'cluster.local', viaServices: true },
      services: { clusterCidr: '10.0.0.0/8', credential: 'services-a' },
    });
    const secret = { metadata: { uid: 'u' }, data: { token: 'dG9rZW4=' } };
    paths['/api/v1/namespaces/serverless-kubelet/secrets/services-a'] = secret;
    const { stdout } = await run(...args);
    expect(stdout).toMatch(/^prod is attached: registration written$/m);
    expect(stdout).toMatch(/^pods ask 10\.0\.0\.10 for names, .* and reach Services with the token of services-a$/m);
    expect((await run()).stdout).toContain('nothing was changed');
    // Somebody rotates after the plan is made.
    const read = await registrations.get(undefined, new AbortController().signal);
    const clusters = read.ok && read.value.kind === 'read' ? read.value.clusters : [];
    const rotated = formatRegistrations(
      clusters.map((one) => ({ ...one, services: { clusterCidr: '10.0.0.0/8', credential: 'services-b' } })),
    );
    onAsk['/api/v1/nodes/aci-1'] = () => registrations.force(rotated);
    await expect(run('--cluster-cidr', '10.9.0.0/16')).rejects.toThrow(/somebody attached prod meanwhile/);
    delete onAsk['/api/v1/nodes/aci-1'];
    const after = await registrations.get(undefined, new AbortController().signal);
    expect(after).toMatchObject({ value: { clusters: [{ services: { credential: 'services-b' } }] } });
  });
});
