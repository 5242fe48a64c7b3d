import { describe, expect, it } from 'vitest';
import { assumptions } from '../../../shared/core/agent/assumptions.ts';
import type { AssumptionId } from '../../../shared/core/agent/assumptions.ts';
import type { AgentFacts } from '../../../shared/core/agent/agent-facts.ts';
import type { ProbedPlace } from '../../../shared/core/agent/findings/probed-place.ts';
import { readTierTags } from '../../../shared/core/agent/tier-tags.ts';
import type { ImageConfig } from '../../../shared/core/image/image-config.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import type { NodeFacts } from '../../../shared/core/pod/translation.ts';
import { podOf, rawContainer, subnetId, withContainer } from '../pod/fixtures.ts';
import type { Raw } from '../pod/fixtures.ts';
import { grouped, node, references, translate } from './fixtures.ts';
import type { AgentGroup } from './fixtures.ts';

const place = { region: node.location, subnet: subnetId, sku: 'Standard' };
const probed = (failed: readonly AssumptionId[], at: Partial<ProbedPlace> = {}): readonly ProbedPlace[] => [
  { ...place, ...at, findings: failed.map((id) => ({ id, outcome: 'fails' })) },
];
const failing = (id: AssumptionId, facts: NodeFacts = node): NodeFacts => ({ ...facts, probes: probed([id]) });

const outside = (facts: NodeFacts): NodeFacts => {
  const { subnetId: _, ...rest } = facts;
  return { ...rest, probes: (facts.probes ?? []).map((one) => ({ ...one, subnet: null })) };
};
const downloaded = (facts: NodeFacts): NodeFacts => {
  const agent: AgentFacts = {
    mode: 'auto',
    download: 'always',
    appUrl: 'https://app.example',
    packaged: 'a9'.repeat(32),
  };
  return { ...facts, agent };
};

const once = { restartPolicy: 'Never' };
const aliases = (spec: Raw = {}): Pod => podOf({ hostAliases: [{ ip: '10.1.2.3', hostnames: ['db'] }], ...spec });
const folder = (more: Raw = {}): Pod => withContainer({ workingDir: '/srv', ...more });
const podIp = { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } };
const nodeName = { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } };
const tcp = (port: number) => ({ livenessProbe: { tcpSocket: { port } } });
const ports = (port: number) => [{ containerPort: port, protocol: 'TCP' }];
const neighbours = (port: number, other = 81): Pod =>
  podOf({
    containers: [
      rawContainer({ ...tcp(port), ports: ports(80) }),
      rawContainer({ name: 'other', ports: ports(other), command: ['x'] }),
    ],
  });
const exec = { exec: { command: ['true'] } };

type Case = readonly [
  pod: Pod,
  message: string,
  more?: { image?: Partial<ImageConfig>; facts?: (facts: NodeFacts) => NodeFacts },
];

const lacking = (what: string): string => `${what}; the agent would give it, but `;
const noLines = lacking("spec.hostAliases: ACI can't add lines to /etc/hosts");

/** Pods that need what fails, and in which words they are refused. */
const refused: Readonly<Record<AssumptionId, readonly Case[]>> = {
  'emptydir-runs': [
    [aliases(), `${noLines}probe found that a program does not run in an emptyDir here (emptydir-runs)`],
  ],
  'emptydir-any-user': [
    [
      folder(),
      'spec.containers[0].workingDir: the image of spec.containers[0] runs as 1000, and probe found that an emptyDir can be written to by root alone here (emptydir-any-user)',
      { image: { user: '1000' } },
    ],
  ],
  'emptydir-restart': [
    [
      aliases(),
      `${noLines}probe found that an emptyDir is empty when a container is started again here (emptydir-restart)`,
    ],
  ],
  'init-once': [],
  'hosts-shared': [
    [
      aliases(once),
      'spec.hostAliases: probe found that /etc/hosts is not shared between containers here (hosts-shared)',
    ],
  ],
  'hosts-restart': [
    [
      aliases(),
      'spec.hostAliases: probe found that what was added to /etc/hosts is gone when a container is started again here (hosts-restart)',
    ],
  ],
  'secret-modes': [
    [
      folder(),
      'spec.containers[0].workingDir: the image of spec.containers[0] runs as app, and probe found that modes and owners of files of a secret volume can not be changed here (secret-modes)',
      { image: { user: 'app' } },
    ],
  ],
  'secret-memory': [],
  'init-names': [
    [
      aliases(),
      `${noLines}probe found that names do not resolve while init containers run here (init-names), so AGENT_DOWNLOAD does not bring it: kubectl aci agent publish puts it into a registry`,
      { facts: downloaded },
    ],
  ],
  'init-app': [
    [
      aliases(),
      `${noLines}probe found that the app is not reached while init containers run here (init-app), so AGENT_DOWNLOAD does not bring it: kubectl aci agent publish puts it into a registry`,
      { facts: downloaded },
    ],
  ],
  'main-app': [
    [
      withContainer({ startupProbe: exec }),
      'spec.containers[0].startupProbe: probe found that the app is not reached from the containers here (main-app)',
    ],
    [
      withContainer({ readinessProbe: exec }),
      'spec.containers[0].readinessProbe.exec: probe found that the app is not reached from the containers here (main-app)',
    ],
    [
      withContainer({ readinessProbe: { httpGet: { port: 80 } } }),
      'spec.containers[0].readinessProbe: probe found that the app is not reached from the containers here (main-app)',
      { facts: outside },
    ],
    [
      withContainer({ ...tcp(80), readinessProbe: { httpGet: { port: 80 } } }),
      'spec.containers[0].readinessProbe: probe found that the app is not reached from the containers here (main-app)',
    ],
    [
      withContainer({ terminationMessagePath: '/tmp/end' }),
      'spec.containers[0].terminationMessagePath: probe found that the app is not reached from the containers here (main-app)',
    ],
  ],
  'address-inside': [
    [
      withContainer({ env: [podIp] }),
      'spec.containers[0].env[0].valueFrom.fieldRef: probe found that a container has another address inside than its group here (address-inside)',
    ],
  ],
  capabilities: [
    [
      podOf({ securityContext: { runAsUser: 7 } }),
      'spec.securityContext.runAsUser: probe found that root in a container may not change users, owners or its own capabilities here (capabilities)',
    ],
    [
      podOf({ securityContext: { supplementalGroups: [7] } }),
      'spec.securityContext.supplementalGroups: probe found that root in a container may not change users, owners or its own capabilities here (capabilities)',
    ],
    [
      withContainer({ securityContext: { capabilities: { drop: ['ALL'] } } }),
      'spec.containers[0].securityContext.capabilities.drop: probe found that root in a container may not change users, owners or its own capabilities here (capabilities)',
      { facts: (facts) => ({ ...facts, securityPolicy: 'strict' }) },
    ],
    [
      folder(),
      'spec.containers[0].workingDir: the image of spec.containers[0] runs as 7, and probe found that root in a container may not change users, owners or its own capabilities here (capabilities)',
      { image: { user: '7' } },
    ],
  ],
  'memory-events': [],
  'processes-apart': [],
  'network-shared': [
    [
      neighbours(81),
      'spec.containers[0].livenessProbe: probe found that containers of a group do not share 127.0.0.1 here (network-shared)',
    ],
  ],
  'stop-signal': [],
  'logs-after-stop': [],
  'failed-again': [],
  'exec-word': [
    [
      withContainer({ lifecycle: { preStop: exec } }),
      'spec.containers[0].lifecycle.preStop.exec: probe found that exec does not start a program by one word here (exec-word)',
    ],
  ],
  'exec-words': [],
  'secret-size': [],
  'liveness-restart': [],
};

/** Pods with the agent to which it does not matter. */
const unaffected: Readonly<Record<AssumptionId, readonly Pod[]>> = {
  // Whoever has an agent needs it.
  'emptydir-runs': [podOf({ hostname: undefined })],
  'emptydir-any-user': [folder(), aliases()],
  'emptydir-restart': [aliases(once)],
  'init-once': [aliases()],
  'hosts-shared': [folder(), podOf({ hostname: 'a' })],
  'hosts-restart': [aliases(once), podOf({ hostname: 'a' })],
  'secret-modes': [aliases(), folder()],
  'secret-memory': [aliases(), withContainer(tcp(80))],
  'init-names': [aliases()],
  'init-app': [aliases()],
  'main-app': [aliases(), folder(), withContainer({ readinessProbe: { httpGet: { port: 80 } } })],
  'address-inside': [withContainer({ workingDir: '/srv', env: [nodeName] })],
  capabilities: [aliases(), withContainer(tcp(80))],
  'memory-events': [withContainer(tcp(80))],
  'processes-apart': [withContainer(tcp(80))],
  'network-shared': [neighbours(80), neighbours(82), neighbours(80, 80)],
  'stop-signal': [withContainer(tcp(80))],
  'logs-after-stop': [withContainer(tcp(80))],
  'failed-again': [withContainer(tcp(80))],
  'exec-word': [aliases(), withContainer(tcp(80))],
  'exec-words': [withContainer(tcp(80))],
  'secret-size': [withContainer(tcp(80))],
  'liveness-restart': [withContainer(tcp(80))],
};

const ids = assumptions.map(({ id }) => id);
const cases = ids.flatMap((id) => refused[id].map(([pod, message, more = {}]) => ({ id, pod, message, more })));

describe('where a probe found an assumption to fail', () => {
  it.each(cases)('$id: a pod that needs it is refused: $message', ({ id, pod, message, more }) => {
    const change = more.facts ?? ((facts: NodeFacts) => facts);
    const known = references(more.image);
    expect(translate(pod, known, change(node)).kind).toBe('group');
    expect(translate(pod, known, change(failing(id)))).toMatchObject({ kind: 'refused', message });
  });

  it('somebody is refused for each feature that is refused by name, and for no other assumption', () => {
    const byName = assumptions.filter((row) => row.refused.length > 0).map(({ id }) => id);
    expect(ids.filter((id) => refused[id].length > 0)).toEqual(byName);
  });

  it.each(ids.flatMap((id) => unaffected[id].map((pod) => ({ id, pod }))))(
    '$id: a pod that does without is as it was',
    ({ id, pod }) => expect(translate(pod, references(), failing(id))).toEqual(translate(pod)),
  );
});

describe('what was found counts', () => {
  const failed = ['emptydir-runs'] as const;
  const kindAt = (probes: readonly ProbedPlace[], pod = aliases(once), facts: NodeFacts = node): string =>
    translate(pod, references(), { ...facts, probes }).kind;
  const annotated = (name: string, value: string): Pod =>
    podOf({ hostAliases: [{ ip: '10.1.2.3', hostnames: ['db'] }] }, { annotations: { [name]: value } });

  it.each<[string, Partial<ProbedPlace>, string]>([
    ['at the place itself', {}, 'refused'],
    ['by a resource id in other letters', { subnet: subnetId.toUpperCase() }, 'refused'],
    ['not in another region', { region: 'northeurope' }, 'group'],
    ['not in another subnet', { subnet: `${subnetId}2` }, 'group'],
    ['not outside of subnets', { subnet: null }, 'group'],
    ['not with another SKU', { sku: 'Confidential' }, 'group'],
  ])('%s', (_, at, kind) => expect(kindAt(probed(failed, at))).toBe(kind));

  it('at the subnet that the pod itself names, and with its SKU', () => {
    const granted: NodeFacts = { ...node, grants: 'assumed' };
    expect(
      kindAt(probed(failed), annotated('microsoft.containerinstance.virtualnode.subnets.primary', 'none'), granted),
    ).toBe('group');
    expect(
      kindAt(
        probed(failed, { subnet: null }),
        annotated('microsoft.containerinstance.virtualnode.subnets.primary', 'none'),
        granted,
      ),
    ).toBe('refused');
    expect(kindAt(probed(failed), annotated('virtual-kubelet.io/container-sku', 'confidential'), granted)).toBe(
      'group',
    );
    expect(
      kindAt(
        probed(failed, { sku: 'Confidential' }),
        annotated('virtual-kubelet.io/container-sku', 'confidential'),
        granted,
      ),
    ).toBe('refused');
  });

  it('only where it fails', () => {
    const findings = ids.map((id, index) => ({
      id,
      outcome: index % 2 === 0 ? ('holds' as const) : ('unmeasured' as const),
    }));
    expect(kindAt([{ ...place, findings }])).toBe('group');
  });
});

const secretVolume = { name: 'keys', secret: { secretName: 'login', defaultMode: 0o400 } };
const mapVolume = { name: 'conf', configMap: { name: 'settings', defaultMode: 0o644 } };
const mount = (name: string) => ({ name, mountPath: `/${name}`, readOnly: true });
const mounting = (more: Raw = {}, spec: Raw = {}): Pod =>
  withContainer(
    { volumeMounts: [mount('keys'), mount('conf')], ...more },
    { volumes: [secretVolume, mapVolume], ...spec },
  );
const at = (id: AssumptionId, pod: Pod, config: Partial<ImageConfig> = {}): AgentGroup =>
  grouped(pod, references(config), failing(id));
const said = ({ notices }: AgentGroup): readonly string[] => notices.map(({ message }) => message);
const tier = ({ body }: AgentGroup): string => readTierTags(body.tags)?.tier ?? 'T0';

describe('a pod gets less where that is a lesser way', () => {
  it('secret-modes: no modes and no group, nor the agent for them', () => {
    expect(tier(grouped(mounting()))).toBe('T1');
    expect(tier(at('secret-modes', mounting()))).toBe('T0');
    const rich = mounting(tcp(80), { securityContext: { fsGroup: 7 } });
    const modes = (group: AgentGroup) =>
      group.install?.volumes?.flatMap(({ files = [], fsGroup }) => [fsGroup, ...files.map(({ mode }) => mode)]);
    expect(modes(grouped(rich))).toContain(7);
    expect(modes(grouped(rich))).toContain(0o400);
    const plain = at('secret-modes', rich);
    expect(new Set(modes(plain))).toEqual(new Set([undefined, 0o644]));
    expect(new Set(modes(at('secret-modes', mounting(tcp(80)))))).toEqual(new Set([undefined, 0o644]));
    expect(said(plain).join()).toContain('spec.volumes[0].secret.defaultMode: ACI sets the mode of the files itself');
  });

  it('secret-memory: a Secret does not follow its changes, and a ConfigMap does', () => {
    const live = ({ orders }: AgentGroup) => orders['main']?.live?.map(({ name }) => name);
    expect(live(grouped(mounting(tcp(80))))).toEqual(['keys', 'conf']);
    const kept = at('secret-memory', mounting(tcp(80)));
    expect(live(kept)).toEqual(['conf']);
    expect(said(kept)).toContain(
      'spec.volumes[0]: later changes do not arrive: probe found that a secret volume is on a disk here (secret-memory)',
    );
  });

  it('main-app: nobody waits for a report, nothing is renewed, and an event says so', () => {
    const pod = mounting(tcp(80));
    const heard = translate(pod);
    const unheard = translate(pod, references(), failing('main-app'));
    expect(heard).toMatchObject({ kind: 'group', reporting: ['main'], liveVolumes: expect.anything() });
    expect(unheard.kind === 'group' && [unheard.reporting, unheard.liveVolumes]).toEqual([[], undefined]);
    const group = at('main-app', pod);
    expect([tier(group), group.orders['main']?.live]).toEqual(['T2', undefined]);
    expect(said(group)).toContain(
      'spec.containers[0].livenessProbe.tcpSocket and 1 more: its agent is not heard, so that ends are seen by polls alone: probe found that the app is not reached from the containers here (main-app)',
    );
  });

  it('main-app: what only reports would bring is no reason for an agent', () => {
    const writing = withContainer({ command: ['sh', '-c', 'echo x >/dev/termination-log'] });
    expect([tier(grouped(writing)), tier(at('main-app', writing))]).toEqual(['T2', 'T0']);
  });

  it('capabilities: no group, and no capability less; it is met or noted as without the agent', () => {
    const context = { runAsGroup: 7, capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false };
    const pod = withContainer({ ...tcp(80), securityContext: context }, { securityContext: { fsGroup: 8 } });
    const program = ({ orders }: AgentGroup) => orders['main']?.program;
    expect(program(grouped(pod))).toMatchObject({ user: { gid: 7, groups: [8] }, capabilities: { drop: ['ALL'] } });
    const plain = at('capabilities', pod);
    expect(program(plain)).toMatchObject({ argv: ['/entry', 'serve'], noNewPrivileges: true });
    expect([program(plain)?.user, program(plain)?.capabilities]).toEqual([undefined, undefined]);
    expect(said(plain).join('\n')).toMatch(/capabilities\.drop: not set inside the containers/);
    expect(said(plain).join('\n')).toMatch(/runAsGroup: the containers run with the group that the image gives/);
  });

  it('hosts-shared: a name of its own is in /etc/hosts where a container starts as root', () => {
    const two = podOf({
      hostname: 'web-0',
      containers: [rawContainer({ command: ['x'] }), rawContainer({ name: 'other', image: 'plain', command: ['y'] })],
    });
    const known = references({}, { images: { plain: { ok: true, value: { ...plainImage, user: '7' } } } });
    const note =
      'spec.hostname: /etc/hosts of containers that do not start as root does not have the name: probe found that /etc/hosts is not shared between containers here (hosts-shared)';
    expect(said(grouped(two, known))).not.toContain(note);
    expect(said(grouped(two, known, failing('hosts-shared')))).toContain(note);
  });

  it('emptydir-any-user: a container that the agent could do without is left as it is', () => {
    const two = podOf({
      containers: [rawContainer({ ...tcp(80) }), rawContainer({ name: 'other', image: 'plain', command: ['y'] })],
    });
    const known = references({}, { images: { plain: { ok: true, value: { ...plainImage, user: '7' } } } });
    const starts = (facts: NodeFacts) => Object.keys(grouped(two, known, facts).orders);
    expect([starts(node), starts(failing('emptydir-any-user'))]).toEqual([['main', 'other'], ['main']]);
  });

  it('exec-word: a grace that nobody could keep is no reason for an agent', () => {
    const patient = podOf({ terminationGracePeriodSeconds: 300 });
    expect([tier(grouped(patient)), tier(at('exec-word', patient))]).toEqual(['T2', 'T0']);
  });

  it('emptydir-runs: what a pod wants alone does not bring the agent', () => {
    expect(tier(at('emptydir-runs', podOf({ hostname: 'a' })))).toBe('T0');
  });
});

const plainImage: ImageConfig = { entrypoint: ['/e'], cmd: [], env: {}, workingDir: '', user: '' };
