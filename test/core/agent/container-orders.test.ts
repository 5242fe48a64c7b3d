import { describe, expect, it } from 'vitest';
import type { Program } from '../../../shared/core/agent/orders.ts';
import type { ImageConfig } from '../../../shared/core/image/image-config.ts';
import { podOf, rawContainer, withContainer } from '../pod/fixtures.ts';
import type { Raw } from '../pod/fixtures.ts';
import { grouped, node, references, translate } from './fixtures.ts';

const late = (name: string, fieldPath = 'status.podIP'): Raw => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const ofSecret = (name: string): Raw => ({ name, valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } });

/** Without the pod's own name, which each has. */
function programOf(container: Raw, spec: Raw = {}, config: Partial<ImageConfig> = {}): Program | undefined {
  const program = grouped(withContainer(container, spec), references(config)).orders['main']?.program;
  if (program === undefined) return undefined;
  const { env = [], ...rest } = program;
  const others = env.filter(({ name }) => name !== 'HOSTNAME');
  return others.length === 0 ? rest : { ...rest, env: others };
}
const groupVariables = (container: Raw, config: Partial<ImageConfig> = {}): Record<string, string> =>
  Object.fromEntries(
    (grouped(withContainer(container), references(config)).body.containers[0]?.environmentVariables ?? [])
      .filter(({ name }) => !name.startsWith('KUBERNETES_'))
      .map(({ name, value, secureValue }) => [name, value ?? `secret:${secureValue}`]),
  );

describe('the command of a container that the agent starts', () => {
  it('is the agent’s in the group, and its own in the orders', () => {
    const { body, orders } = grouped(withContainer({ env: [late('IP')], args: ['--at=$(IP)', '$$(IP)', '$(NO)'] }));
    expect(body.containers[0]?.command).toEqual(['/.sk/sk', 'run']);
    expect(orders['main']?.program.argv).toEqual(['/entry', { template: '--at=$(IP)' }, '$(IP)', '$(NO)']);
  });

  it.each<[string, Raw, readonly unknown[]]>([
    ['the image’s, where the pod names none', {}, ['/entry', 'serve']],
    ['the pod’s', { command: ['/a'], args: ['b'] }, ['/a', 'b']],
    ['the pod’s behind the image’s entrypoint', { args: ['b'] }, ['/entry', 'b']],
  ])('%s', (_, container, argv) => expect(programOf({ env: [late('IP')], ...container })?.argv).toEqual(argv));

  it('has what a Secret is expanded into, which would be read in the group', () => {
    const { body, orders } = grouped(withContainer({ env: [ofSecret('P')], args: ['--password=$(P)'] }));
    expect(orders['main']?.program.argv).toEqual(['/entry', '--password=s3cret']);
    const { volumes: _, ...visible } = body;
    expect(JSON.stringify(visible).replaceAll('"secureValue":"s3cret"', '')).not.toContain('s3cret');
  });

  it('is waited for where neither the pod nor the image has one', () =>
    expect(translate(withContainer({ env: [late('IP')] }), references({ entrypoint: [], cmd: [] }))).toMatchObject({
      kind: 'waiting',
      message: 'no command specified',
      field: 'spec.containers[0].image',
    }));

  it('is waited for where its registry does not say', () => {
    const fault = { kind: 'transient', message: 'time-out' } as const;
    const images = { images: { busybox: { ok: false, fault } as const } };
    const pod = (command: Raw) => withContainer({ env: [late('IP')], ...command });
    expect(translate(pod({}), references({}, images))).toMatchObject({ kind: 'waiting', reason: 'ErrImagePull' });
    expect(translate(pod({ command: ['/a'] }), references({}, images)).kind).toBe('group');
  });
});

describe('the environment of a container that the agent starts', () => {
  it('is the group’s as far as ACI carries it', () => {
    const env = [{ name: 'A', value: '1' }, ofSecret('S'), { name: 'B', value: '$(A)-$(S)' }, late('IP')];
    expect(groupVariables({ env })).toEqual({ A: '1', S: 'secret:s3cret', B: 'secret:1-s3cret' });
    expect(programOf({ env })?.env).toEqual([{ name: 'IP', field: 'status.podIP' }]);
  });

  it('is the orders’ where a name is none for ACI', () => {
    const env = [{ name: 'a.b-c', value: '1' }, ofSecret('p.w'), { name: 'B', value: '$(a.b-c)' }];
    expect(groupVariables({ env })).toEqual({ B: '1' });
    expect(programOf({ env })?.env).toEqual([
      { name: 'a.b-c', value: '1' },
      { name: 'p.w', value: 's3cret' },
    ]);
  });

  it('has all keys of an envFrom, where without the agent some are left out', () => {
    const container = { envFrom: [{ configMapRef: { name: 'settings' } }] };
    expect(groupVariables(container)).toEqual({ PLAIN: 'p' });
    expect(programOf(container)?.env).toEqual([
      { name: 'app.conf', value: 'x=1' },
      { name: 'b.c', value: 'dotted' },
    ]);
    expect(grouped(withContainer(container)).notices).toEqual([]);
    const without = grouped(withContainer(container), references(), { ...node, agent: { mode: 'never' } });
    expect(without.notices).toMatchObject([{ reason: 'InvalidEnvironmentVariableNames' }]);
  });

  it('is a template where it depends on what only the group knows, by a kubelet’s rules', () => {
    const env = [
      { name: 'PRICE', value: '5 $ ($$)' },
      late('IP'),
      late('IPS', 'status.podIPs'),
      { name: 'URL', value: 'http://$(IP):$(PORT)/?p=$(PRICE)&s=$(SECRET)' },
      { name: 'NEXT', value: '$(URL)#$(IPS)' },
      { name: 'PLAIN', value: '$$(IP)' },
    ];
    expect(programOf({ env })?.env).toEqual([
      { name: 'IP', field: 'status.podIP' },
      { name: 'IPS', field: 'status.podIPs' },
      { name: 'URL', value: { template: 'http://$(IP):$$(PORT)/?p=5 $$ ($$)&s=$$(SECRET)' } },
      { name: 'NEXT', value: { template: '$(URL)#$(IPS)' } },
    ]);
    expect(groupVariables({ env })).toEqual({ PRICE: '5 $ ($)', PLAIN: '$(IP)' });
  });

  it('keeps the order where a name is set again', () => {
    const env = [late('A'), { name: 'B', value: '$(A)' }, { name: 'A', value: 'x' }, { name: 'C', value: '$(A)' }];
    expect(programOf({ env })?.env).toEqual([
      { name: 'A', field: 'status.podIP' },
      { name: 'B', value: { template: '$(A)' } },
      { name: 'A', value: 'x' },
    ]);
    expect(groupVariables({ env })).toEqual({ C: 'x' });
  });

  it('has what Go obeys in the orders, and empty in the group', () => {
    const env = [late('IP'), { name: 'GOGC', value: '50' }];
    const config = { env: { GODEBUG: 'x=1', GOGC: '10' } };
    expect(groupVariables({ env }, config)).toEqual({ GODEBUG: '', GOGC: '' });
    expect(programOf({ env }, {}, config)?.env).toEqual([
      { name: 'GODEBUG', value: 'x=1' },
      { name: 'GOGC', value: '50' },
      { name: 'IP', field: 'status.podIP' },
    ]);
  });

  it('has it empty in the group also where the group alone knows the value', () => {
    const env = [late('IP'), { name: 'GODEBUG', value: 'a=$(IP)' }];
    expect(groupVariables({ env }, { env: { GODEBUG: 'x=1' } })).toEqual({ GODEBUG: '' });
    expect(programOf({ env })?.env?.at(-1)).toEqual({ name: 'GODEBUG', value: { template: 'a=$(IP)' } });
  });
});

describe('the user of a container', () => {
  const security = (context: Raw, pod: Raw = {}): readonly [Raw, Raw] => [
    { securityContext: context },
    { securityContext: pod },
  ];

  it.each<[string, readonly [Raw, Raw], Partial<ImageConfig>, Partial<Program> | undefined]>([
    ['another than root', security({ runAsUser: 1000 }), {}, { user: { uid: 1000 }, setHome: true }],
    ['of the pod', security({}, { runAsUser: 1000 }), { user: 'root' }, { user: { uid: 1000 }, setHome: true }],
    [
      'with a group',
      security({ runAsUser: 7, runAsGroup: 8 }),
      { user: '0' },
      { user: { uid: 7, gid: 8 }, setHome: true },
    ],
    ['a group alone', security({ runAsGroup: 8 }), {}, { user: { gid: 8 } }],
    [
      'with the groups of the pod and of its files',
      security({}, { runAsUser: 7, fsGroup: 9, supplementalGroups: [5, 9], supplementalGroupsPolicy: 'Strict' }),
      {},
      { user: { uid: 7, groups: [5, 9], strict: true }, setHome: true },
    ],
    ['root, with groups', security({}, { supplementalGroups: [5] }), {}, { user: { groups: [5] } }],
    [
      'that only the image’s files know by number',
      security({ runAsUser: 101 }),
      { user: 'nginx' },
      { user: { uid: 101 } },
    ],
    ['that the image has: nothing is added', security({ runAsUser: 1000 }), { user: '1000' }, undefined],
    [
      'with a group beside it that nobody can set',
      security({ runAsUser: 1000, runAsGroup: 1000 }),
      { user: '1000' },
      undefined,
    ],
    ['root, of which the image is one', security({ runAsUser: 0, runAsGroup: 0 }), {}, undefined],
  ])('%s', (_, [container, spec], config, program) => {
    const found = programOf(container, spec, config);
    expect(found).toEqual(program && { argv: ['/entry', 'serve'], ...program });
  });

  it.each<[string, Raw, Partial<ImageConfig>]>([
    ['the pod', { env: [{ name: 'HOME', value: '/h' }] }, {}],
    ['the image', {}, { env: { HOME: '/h' } }],
  ])('keeps the home that %s names', (_, container, config) =>
    expect(programOf({ securityContext: { runAsUser: 7 }, ...container }, {}, config)?.setHome).toBeUndefined(),
  );

  it.each<[string, Raw, string, string]>([
    [
      'user',
      { runAsUser: 7 },
      'spec.securityContext.runAsUser',
      "runs as 1000, and who is not root can't become another user",
    ],
    [
      'groups',
      { supplementalGroups: [5] },
      'spec.securityContext.supplementalGroups',
      "runs as 1000, which can't change its groups",
    ],
    [
      'policy',
      { supplementalGroupsPolicy: 'Strict' },
      'spec.securityContext.supplementalGroupsPolicy',
      "runs as 1000, which can't change its groups",
    ],
  ])('refuses another %s of an image that does not start as root', (_, securityContext, field, why) =>
    expect(translate(podOf({ securityContext }), references({ user: '1000' }))).toEqual({
      kind: 'refused',
      reason: 'UnsupportedPodSpec',
      field,
      message: `${field}: the image busybox ${why}`,
    }),
  );

  it('is asked of the registry also for a group alone, where there is an agent', () =>
    expect(programOf({ securityContext: { runAsGroup: 8 } }, {}, { user: '1000' })).toBeUndefined());
});

describe('the rights of a container that the agent starts', () => {
  it('are what the pod asks for', () =>
    expect(
      programOf({
        workingDir: '/srv',
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
        },
      }),
    ).toEqual({
      argv: ['/entry', 'serve'],
      workingDir: '/srv',
      capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
      noNewPrivileges: true,
    }));

  it('are left to the group’s isolation of a pod that has no agent, and noted', () => {
    const container = { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } };
    const reasons = (more: Raw) =>
      grouped(withContainer({ ...container, ...more })).notices.map(({ reason }) => reason);
    expect(reasons({})).toEqual(['MetByIsolation']);
    expect(reasons({ workingDir: '/srv' })).toEqual([]);
  });

  it('need the agent where SECURITY_POLICY is strict', () => {
    const strict = { ...node, securityPolicy: 'strict' as const };
    const pod = (context: Raw) => withContainer({ securityContext: context });
    const { orders } = grouped(pod({ capabilities: { drop: ['ALL'] } }), references(), strict);
    expect(orders['main']?.program.capabilities).toEqual({ drop: ['ALL'] });
    expect(translate(pod({ readOnlyRootFilesystem: true }), references(), strict)).toMatchObject({
      kind: 'refused',
      field: 'spec.containers[0].securityContext.readOnlyRootFilesystem',
    });
  });
});

describe('a pod with an agent', () => {
  it('has it in no container that asks for nothing', () => {
    const { body, orders } = grouped(
      podOf({
        containers: [rawContainer({ workingDir: '/srv' }), rawContainer({ name: 'plain', command: ['/b'] })],
        initContainers: [rawContainer({ name: 'first', env: [late('IP')] })],
      }),
    );
    expect(Object.keys(orders)).toEqual(['first', 'main']);
    expect(body.containers[1]).toMatchObject({ name: 'plain', command: ['/b'], volumeMounts: [] });
  });

  it.each<[string, Raw, string | undefined, unknown]>([
    ['hostname', { hostname: 'web-0' }, 'web-0', { hostname: 'web-0' }],
    ['subdomain', { subdomain: 'peers' }, 'web', { hostname: 'web', domain: 'peers.shop.svc.cluster.local' }],
    [
      'setHostnameAsFQDN',
      { hostname: 'a', subdomain: 'peers', setHostnameAsFQDN: true },
      'a.peers.shop.svc.cluster.local',
      { hostname: 'a', domain: 'peers.shop.svc.cluster.local' },
    ],
    ['hostnameOverride', { hostnameOverride: 'x.example' }, 'x.example', { hostname: 'x.example' }],
  ])('has its own name by %s', (_, spec, own, hosts) => {
    const { install, orders } = grouped(podOf(spec));
    expect(install?.hostname).toBe(own);
    expect(orders['main']?.hosts).toEqual(hosts);
    expect(orders['main']?.program.env).toEqual([{ name: 'HOSTNAME', value: own }]);
  });

  it('has its own name where it asks for none, and for something else of the agent’s', () => {
    const pod = withContainer({ workingDir: '/srv' });
    const { install, orders, notices } = grouped(pod);
    expect([install?.hostname, orders['main']?.hosts]).toEqual(['web', { hostname: 'web' }]);
    expect(orders['main']?.program.env).toEqual([{ name: 'HOSTNAME', value: 'web' }]);
    expect(notices).toEqual([]);
  });

  it('has ACI’s name where nobody could find the own one in /etc/hosts, and does not ask for it', () => {
    const { install, orders, notices } = grouped(withContainer({ workingDir: '/srv' }), references({ user: '1000' }));
    expect([install?.hostname, orders['main']?.hosts, orders['main']?.program.env]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(notices).toEqual([]);
  });

  it('has the value that the pod itself gives HOSTNAME', () => {
    const env = [{ name: 'HOSTNAME', value: 'mine' }];
    const { body, orders } = grouped(withContainer({ workingDir: '/srv', env }));
    expect(body.containers[0]?.environmentVariables).toContainEqual({ name: 'HOSTNAME', value: 'mine' });
    expect(orders['main']?.program.env).toBeUndefined();
  });

  it('has names of the domain that its cluster has, and at most 63 characters', () => {
    const dns = { nameServers: ['10.0.0.10'], domain: 'corp.example', viaServices: false };
    const pod = podOf({ subdomain: 's' }, { name: `${'a'.repeat(62)}.b` });
    expect(grouped(pod, references(), { ...node, dns }).orders['main']?.hosts).toEqual({
      hostname: 'a'.repeat(62),
      domain: 's.shop.svc.corp.example',
    });
  });

  it('has the line of the name that it asks for where nobody has read its image: the agent sees whether it may write', () => {
    const fault = { kind: 'not-found', code: 'MANIFEST_UNKNOWN', message: 'no' } as const;
    const unread = references({}, { images: { busybox: { ok: false, fault } as const } });
    const pod = withContainer({ command: ['/a'] }, { hostname: 'db', subdomain: 'peers' });
    expect(grouped(pod, unread).orders['main']?.hosts).toEqual({
      hostname: 'db',
      domain: 'peers.shop.svc.cluster.local',
    });
  });

  it('does not have the line of its name in /etc/hosts written by who can not, and says so', () => {
    const { orders, notices } = grouped(podOf({ hostname: 'web-0' }), references({ user: '1000' }));
    expect(orders['main']?.hosts).toBeUndefined();
    expect(notices.map(({ message }) => message)).toEqual([
      'spec.hostname: gethostname() and hostname(1) find the name of ACI',
      'spec.hostname: /etc/hosts does not have the name: no container of the pod starts as root',
    ]);
  });
});
