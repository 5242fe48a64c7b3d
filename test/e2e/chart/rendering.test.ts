/** What the chart renders: right for the API server whatever the values, and a sentence where they cannot work. */
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../infra/cluster/relay/config.ts';
import { installationRoles } from '../../../shared/core/access/roles.ts';
import type { InstallationRole, PolicyRule } from '../../../shared/core/access/roles.ts';
import type { ControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import { relayNodeFlags } from '../../../infra/local/up/relay.ts';
import { ChartWorld, apply, clusterFor, namespace, namespaced, values } from './chart.ts';
import type { Manifest, Values } from './chart.ts';

let world: ChartWorld;
let cluster: ControlPlane;

beforeAll(async () => {
  world = await ChartWorld.build();
  cluster = await clusterFor(world);
});

afterAll(async () => {
  await cluster?.stop();
  world?.remove();
});

const find = (manifests: readonly Manifest[], kind: string, name: string): Manifest => {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
};

const merge = (...all: readonly Values[]): Values => Object.assign({}, ...all);

const dimensions: readonly (readonly (readonly [name: string, values: Values])[])[] = [
  [
    ['self-signed', {}],
    ['cert-manager', { serving: { mode: 'certManager', issuerRef: { name: 'ca', kind: 'ClusterIssuer' } } }],
    ['a secret', { serving: { mode: 'secret', secretName: 'mine' } }],
  ],
  [
    ['no opt-in', { optIn: { mode: 'off' } }],
    ['prefer', { optIn: { mode: 'prefer' } }],
    ['always', { optIn: { mode: 'always', podLabel: 'aci', namespaceLabel: 'example.com/aci' } }],
  ],
  [
    ['network policy', { networkPolicy: { enabled: true, kubeletFrom: [{ ipBlock: { cidr: '10.0.0.0/8' } }] } }],
    ['no network policy', { networkPolicy: { enabled: false } }],
  ],
  [
    ['an account', {}],
    ['a user', { app: { ...(values()['app'] as Values), principal: { kind: 'User', name: '0b1c' } } }],
    ['a group', { app: { ...(values()['app'] as Values), principal: { kind: 'Group', name: '7d2e' } } }],
  ],
  [
    ['one node', { nodes: [{ name: 'aci-1', port: 10_250 }], replicas: 1 }],
    ['three nodes', { nodes: ['a', 'b', 'c'].map((name, index) => ({ name, port: 10_250 + index })) }],
  ],
  [
    ['plain', {}],
    [
      'everything else',
      {
        image: { repository: 'example.com/relay', digest: `sha256:${'0'.repeat(64)}`, relay: '/opt/relay/relay.mjs' },
        imagePullSecrets: [{ name: 'pull' }],
        nodeSelector: { pool: 'system' },
        tolerations: [{ key: 'CriticalAddonsOnly', operator: 'Exists' }],
        priorityClassName: 'system-cluster-critical',
        podLabels: { team: 'a' },
        podAnnotations: { note: 'b' },
        service: { type: 'LoadBalancer', clusterIP: '10.96.0.77', annotations: { internal: 'true' } },
        kubeletClientCa: '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n',
        apiServer: { url: 'https://api.example.com:8443' },
        aci: { ca: '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n' },
        hostAliases: [{ ip: '10.0.0.4', hostnames: ['app.internal'] }],
        extraEnv: [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://collector:4318' }],
        warnings: { enabled: false },
        podDisruptionBudget: { enabled: false },
        drain: { enabled: false },
        installation: 'prod',
      },
    ],
  ],
  [
    ['no Services', {}],
    ['Services', { services: { enabled: true } }],
    ['Services by both Secrets', { services: { enabled: true, credentials: ['services-a', 'services-b'] } }],
  ],
];

const combinations = dimensions
  .reduce<readonly { readonly names: readonly string[]; readonly values: Values }[]>(
    (all, choices) =>
      all.flatMap(({ names, values: before }) =>
        choices.map(([name, chosen]) => ({ names: [...names, name], values: merge(before, chosen) })),
      ),
    [{ names: [], values: values() }],
  )
  // Seven is coprime to the number of choices of each dimension: any two choices still meet.
  .filter((_combination, index) => index % 7 === 0);

describe('for values of every kind', () => {
  const rendered: Manifest[] = [];

  it('any two choices meet', () => {
    const pairs = dimensions.flatMap((left, index) =>
      dimensions.slice(index + 1).flatMap((right) => left.flatMap(([a]) => right.map(([b]) => [a, b]))),
    );
    const missing = pairs.filter(([a = '', b = '']) =>
      combinations.every(({ names }) => !names.includes(a) || !names.includes(b)),
    );
    expect(missing).toEqual([]);
  });

  it('the chart renders, with a configuration that the relay takes', async () => {
    for (const { names, values: given } of combinations) {
      const name = names.join(', ');
      const manifests = await world.render(given).catch((error: unknown) => {
        throw new Error(name, { cause: error });
      });
      const { data } = find(manifests, 'ConfigMap', 'relay-config') as Manifest & { data: Record<string, string> };
      expect({ name, ...parseConfig(data['config.json'] ?? '') }).toMatchObject({ name, ok: true });
      rendered.push(...manifests);
    }
  });

  it('the API server takes what is rendered', async () => {
    await apply(cluster, [namespaced(namespace)]);
    const distinct = new Map(
      rendered
        // Kinds of its own that the control plane does not know; a new key pair in each.
        .filter(({ apiVersion }) => apiVersion !== 'cert-manager.io/v1')
        .map((manifest) => [manifest.kind === 'Secret' ? 'secret' : JSON.stringify(manifest), manifest]),
    );
    expect(distinct.size).toBeGreaterThan(40);
    const result = await apply(
      cluster,
      [...distinct.values()],
      '--server-side',
      '--force-conflicts',
      '--dry-run=server',
    );
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
  });
});

interface RenderedRole extends Manifest {
  readonly rules: readonly PolicyRule[];
}

/** Rules without regard to order. */
const comparable = (rules: readonly PolicyRule[]): readonly string[] =>
  rules
    .map((rule) =>
      Object.entries(rule)
        .map(([key, list]: [string, readonly string[]]) => `${key}=${list.toSorted().join()}`)
        .toSorted()
        .join(' '),
    )
    .toSorted();

const describeRole = ({ name, namespace, rules }: Omit<InstallationRole, 'program'>) => ({
  role: `${namespace ?? ''}/${name}`,
  rules: comparable(rules),
});

const byRole = (left: { role: string }, right: { role: string }): number => left.role.localeCompare(right.role);

describe('what is rendered', () => {
  it.each([false, true])(
    'grants the rights of shared/core/access, and no others; with Services: %s',
    async (services) => {
      const manifests = await world.render({ ...values(), services: { enabled: services } });
      const granted = manifests.filter(
        ({ kind }) => kind === 'Role' || kind === 'ClusterRole',
      ) as unknown as readonly RenderedRole[];
      const wanted = installationRoles({ namespace, nodes: ['aci-1', 'aci-2'], services });
      expect(granted.map(({ metadata, rules }) => describeRole({ ...metadata, rules })).toSorted(byRole)).toEqual(
        wanted.map(describeRole).toSorted(byRole),
      );
      // Each bound once, to the account of its program.
      const accounts = { app: 'app', relay: 'relay', drain: 'relay-drain', services: 'services' };
      for (const { name, namespace: place, program } of wanted) {
        const kind = place === undefined ? 'ClusterRole' : 'Role';
        const bindings = manifests.filter(
          ({ kind: other, metadata }) =>
            other === `${kind}Binding` && metadata.name === name && metadata.namespace === place,
        );
        expect(bindings.map((binding) => [binding['roleRef'], binding['subjects']])).toEqual([
          [
            { apiGroup: 'rbac.authorization.k8s.io', kind, name },
            [{ kind: 'ServiceAccount', name: accounts[program], namespace }],
          ],
        ]);
      }
    },
  );

  it('binds the app whoever it is', async () => {
    const app = values()['app'] as Values;
    const subjects = async (principal: Values) => {
      const manifests = await world.render({ ...values(), app: { ...app, principal } });
      const accounts = manifests.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name);
      return [find(manifests, 'ClusterRoleBinding', `${namespace}-app`)['subjects'], accounts.includes('app')];
    };
    const apiGroup = 'rbac.authorization.k8s.io';
    expect(await subjects({})).toEqual([[{ kind: 'ServiceAccount', name: 'app', namespace }], true]);
    expect(await subjects({ name: 'x', namespace: 'y' })).toEqual([
      [{ kind: 'ServiceAccount', name: 'x', namespace: 'y' }],
      false,
    ]);
    expect(await subjects({ kind: 'User', name: '12' })).toEqual([[{ apiGroup, kind: 'User', name: '12' }], false]);
  });

  it('leaves the token of Services to the cluster, one Secret for each that is named', async () => {
    const secrets = async (services: Values) =>
      (await world.render({ ...values(), services }))
        .filter(({ kind, metadata }) => kind === 'Secret' && metadata.name !== 'relay')
        .map(({ metadata: { name, annotations }, ...secret }) => ({ name, annotations, members: Object.keys(secret) }));
    const annotations = { 'kubernetes.io/service-account.name': 'services' };
    const one = (name: string) => ({ name, annotations, members: ['apiVersion', 'kind', 'type'] });
    expect(await secrets({})).toEqual([]);
    expect(await secrets({ enabled: true })).toEqual([one('services-a')]);
    expect(await secrets({ enabled: true, credentials: ['services-b', 'services-a'] })).toEqual([
      one('services-b'),
      one('services-a'),
    ]);
  });

  it("lets the relay out to where ACI's sessions are, and believes the authority that is given for them", async () => {
    const manifests = await world.render({ ...values(), aci: { ca: 'PEM' } });
    const { data } = find(manifests, 'ConfigMap', 'relay-config') as Manifest & { data: Record<string, string> };
    expect(JSON.parse(data['config.json'] ?? '')).toMatchObject({ aci: { caFile: '/etc/relay/aci-ca.crt' } });
    expect(data['aci-ca.crt']).toBe('PEM');
    expect(find(manifests, 'NetworkPolicy', 'relay')).toMatchObject({
      spec: { egress: expect.arrayContaining([{ ports: expect.arrayContaining([{ port: 19_390 }]) }]) },
    });
  });

  it('runs the relay as the laptop cloud does', async () => {
    const manifests = await world.render(values());
    const deployment = JSON.stringify(find(manifests, 'Deployment', 'relay'));
    expect(deployment).toContain(
      `"command":${JSON.stringify(['node', ...relayNodeFlags, '/opt/relay/relay.mjs'])},"args":["--config","/etc/relay/config.json"]`,
    );
  });

  it('lets the relay ask the pods what they use, and its replicas each other, whoever else may reach the port', async () => {
    const networkPolicy = { enabled: true, kubeletFrom: [{ ipBlock: { cidr: '10.0.0.0/8' } }] };
    const { ingress, egress } = find(await world.render({ ...values(), networkPolicy }), 'NetworkPolicy', 'relay')[
      'spec'
    ] as Record<'ingress' | 'egress', Values[]>;
    const relay = {
      podSelector: {
        matchLabels: { 'app.kubernetes.io/name': 'serverless-kubelet', 'app.kubernetes.io/component': 'relay' },
      },
    };
    const ports = [{ port: 10_250 }, { port: 10_251 }];
    expect(ingress).toContainEqual({ ports, from: [relay] });
    expect(egress).toContainEqual({ ports, to: [relay] });
    expect(egress).toContainEqual({ ports: [{ port: 18_899 }] });
  });

  it('rolls the pods when configuration or relay change, and only then', async () => {
    const template = async (given: Values): Promise<string> => {
      const deployment = find(await world.render({ ...values(), ...given }), 'Deployment', 'relay');
      return JSON.stringify((deployment['spec'] as Values)['template']);
    };
    const before = await template({});
    expect(await template({ optIn: { mode: 'prefer' }, networkPolicy: { enabled: false }, replicas: 3 })).toBe(before);
    expect(await template({ kubeletClientCa: '-----BEGIN CERTIFICATE-----' })).not.toBe(before);
    expect(await template({ nodes: [{ name: 'aci-1', port: 10_250 }] })).not.toBe(before);
  });

  it('asks cert-manager for what the signer of kubelet certificates would sign', async () => {
    const issuerRef = { name: 'ca' };
    const service = { clusterIP: '10.96.0.9' };
    const manifests = await world.render({ ...values(), service, serving: { mode: 'certManager', issuerRef } });
    expect(find(manifests, 'Certificate', 'relay')['spec']).toMatchObject({
      secretName: 'relay',
      commonName: 'system:node:aci-1',
      subject: { organizations: ['system:nodes'] },
      dnsNames: ['relay.serverless-kubelet.svc', 'relay.serverless-kubelet.svc.cluster.local'],
      ipAddresses: ['10.96.0.9'],
      usages: ['digital signature', 'key encipherment', 'server auth'],
      issuerRef: { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' },
    });
    expect(manifests.some(({ kind }) => kind === 'Secret')).toBe(false);
  });

  it('opts in by the version of MutatingAdmissionPolicy that is served', async () => {
    const given = { ...values(), optIn: { mode: 'prefer' } };
    const beta = await world.template(given, ['admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy']);
    expect(beta.stdout.match(/admissionregistration.k8s.io\/v1beta1/g)).toHaveLength(2);
    const both = await world.template(given);
    expect(both.stdout).not.toContain('v1beta1');
  });
});

describe('values that cannot work are a sentence', () => {
  const app = values()['app'] as Values;
  const node = { name: 'aci-1', port: 10_250 };
  const cases: readonly (readonly [string, Values, string | RegExp])[] = [
    ['no UID', { clusterUid: '' }, 'clusterUid: give the UID of the namespace kube-system: kubectl get namespace'],
    ['no UUID', { clusterUid: 'prod' }, 'clusterUid: "prod" is no UUID'],
    ['no URL', { app: { ...app, url: '' } }, 'app.url: give the address of the function app'],
    ['http', { app: { ...app, url: 'http://app' } }, 'app.url: "http://app" is no https:// URL'],
    ['/api', { app: { ...app, url: 'https://app/api' } }, 'app.url: "https://app/api" ends with /api'],
    ['no audience', { app: { ...app, audience: '' } }, 'app.audience: give the audience'],
    ['no PEM', { app: { ...app, ca: 'x' } }, 'app.ca: a PEM certificate is expected'],
    ['a nameless user', { app: { ...app, principal: { kind: 'User' } } }, 'app.principal.name: name the User'],
    [
      'a user of a namespace',
      { app: { ...app, principal: { kind: 'User', name: 'a', namespace: 'b' } } },
      'app.principal.namespace: a User has none',
    ],
    [
      'everybody',
      { app: { ...app, principal: { kind: 'Group', name: 'system:authenticated' } } },
      'app.principal.name: "system:authenticated" is one of Kubernetes\' own',
    ],
    ['no nodes', { nodes: [] }, 'nodes: name at least one'],
    ['a bad name', { nodes: [{ name: 'A_1', port: 10_250 }] }, 'nodes[0].name: "A_1" is no node name'],
    ['a name twice', { nodes: [node, { ...node, port: 10_251 }] }, 'nodes[1].name: "aci-1" is nodes[0] already'],
    ['a port twice', { nodes: [node, { ...node, name: 'b' }] }, 'nodes[1].port: 10250 is that of nodes[0] already'],
    ["the health port's", { nodes: [{ ...node, port: 10_248 }] }, 'nodes[0].port: 10248 is that of the health port'],
    ['a bad digest', { image: { digest: 'latest' } }, 'image.digest: "latest" is no digest'],
    ['no tag', { image: { tag: '' } }, 'image.tag: give a tag, or image.digest'],
    ['a relative path', { image: { relay: 'relay.mjs' } }, 'image.relay: "relay.mjs" is no absolute path'],
    ['no CA', { kubeletClientCa: 'ca.pem' }, 'kubeletClientCa: a PEM certificate is expected; use --set-file'],
    ['an http API server', { apiServer: { url: 'http://10.0.0.1' } }, 'apiServer.url: "http://10.0.0.1" is no https'],
    ['no secret', { serving: { mode: 'secret' } }, 'serving.secretName: serving.mode secret needs the name'],
    ['no issuer', { serving: { mode: 'certManager' } }, 'serving.issuerRef.name: serving.mode certManager needs'],
    ['a needless issuer', { serving: { issuerRef: { name: 'a' } } }, 'serving.issuerRef: it has no meaning'],
    [
      'no Secret for Services',
      { services: { enabled: true, credentials: [] } },
      'services.credentials: name at least one of',
    ],
    [
      'a Secret of another name',
      { services: { enabled: true, credentials: ['mine'] } },
      /'\/services\/credentials\/0'.*must be one of 'services-a', 'services-b'/,
    ],
    [
      'a Secret twice',
      { services: { enabled: true, credentials: ['services-a', 'services-a'] } },
      /'\/services\/credentials'.*are equal/,
    ],
    ['an unknown value', { replica: 2 }, /additional properties 'replica' not allowed/],
    ['an unknown member', { nodes: [{ ...node, zone: '1' }] }, /'\/nodes\/0'.*additional properties 'zone'/],
    ['a wrong type', { replicas: 'two' }, /'\/replicas'.*got string, want integer/],
    ['too few', { replicas: 0 }, /'\/replicas'.*minimum: got 0, want 1/],
    ['an unknown mode', { optIn: { mode: 'sometimes' } }, /'\/optIn\/mode'.*must be one of 'off', 'prefer', 'always'/],
    ['a low port', { nodes: [{ ...node, port: 443 }] }, /'\/nodes\/0\/port'.*minimum: got 443, want 1,?024/],
    ['no label', { optIn: { podLabel: 'a b' } }, /'\/optIn\/podLabel'.*does not match pattern/],
  ];

  it.each(cases)('%s', async (_name, wrong, sentence) => {
    const { code, stderr } = await world.template({ ...values(), ...wrong });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(sentence);
  });

  it('all faults are reported at once', async () => {
    const { stderr } = await world.template({});
    expect(stderr.match(/^ {2}\* /gm)).toHaveLength(4);
  });

  it('an API that the cluster does not serve', async () => {
    const optIn = await world.template({ ...values(), optIn: { mode: 'always' } }, []);
    expect(optIn.stderr).toContain('optIn.mode: always needs MutatingAdmissionPolicy (Kubernetes 1.36;');
    expect(optIn.stderr).toContain('not served here (Kubernetes v1.36.3)');
    const serving = { mode: 'certManager', issuerRef: { name: 'a' } };
    const certManager = await world.template({ ...values(), serving }, []);
    expect(certManager.stderr).toContain('serving.mode: certManager needs cert-manager');
  });

  it('a Kubernetes that is too old', async () => {
    const args = ['template', 'x', world.chart, '--kube-version', '1.29.9'];
    expect((await world.run(args, values())).stderr).toContain('requires kubeVersion: >=1.30-0');
  });

  it('a chart that was not built', async () => {
    const chart = join(world.dir, 'not-built');
    cpSync(world.chart, chart, { recursive: true });
    rmSync(join(chart, 'files'), { recursive: true });
    const { stderr } = await world.run(['template', 'x', chart, '--kube-version', '1.36.3'], values());
    expect(stderr).toContain('build it with `npm run build`, and use dist/chart');
  });
});

describe('helm', () => {
  it('lint --strict finds nothing', async () => {
    const result = await world.run(['lint', '--strict', world.chart], values());
    expect(result).toMatchObject({ code: 0 });
    // Values that are missing are reported where the chart is rendered.
    expect(await world.run(['lint', '--strict', world.chart])).toMatchObject({ code: 0 });
  });

  it('package makes an archive that renders the same', async () => {
    const target = join(world.dir, 'packages');
    mkdirSync(target, { recursive: true });
    expect(await world.run(['package', world.chart, '--destination', target])).toMatchObject({ code: 0 });
    const [archive = ''] = readdirSync(target);
    expect(archive).toMatch(/^serverless-kubelet-\d+\.\d+\.\d+\.tgz$/);
    const withoutKeys = (text: string): string => text.replaceAll(/tls\.(crt|key): \S+/g, '');
    const args = ['--namespace', namespace];
    const fromArchive = await world.run(['template', 'x', join(target, archive), ...args], values());
    const fromFolder = await world.run(['template', 'x', world.chart, ...args], values());
    expect(fromArchive.code).toBe(0);
    expect(withoutKeys(fromArchive.stdout)).toBe(withoutKeys(fromFolder.stdout));
  });
});
