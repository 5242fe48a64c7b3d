import { describe, expect, it } from 'vitest';
import type { Supervise } from '../../../shared/core/agent/orders.ts';
import { readTierTags } from '../../../shared/core/agent/tier-tags.ts';
import type { ImageConfig } from '../../../shared/core/image/image-config.ts';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { imageReferences } from '../../../shared/core/pod/image-needs.ts';
import { configMap, podOf, rawContainer, resolved, withContainer } from '../pod/fixtures.ts';
import type { Raw } from '../pod/fixtures.ts';
import { grouped, image, node, references, translate } from './fixtures.ts';
import type { AgentGroup } from './fixtures.ts';

const hook = { exec: { command: ['/x'] } };
const preStop = { lifecycle: { preStop: hook } };
const supervised = (container: Raw, spec: Raw = {}, config: Partial<ImageConfig> = {}): Supervise | undefined =>
  grouped(withContainer(container, spec), references(config)).orders['main']?.supervise;
const modesOf = ({ orders }: AgentGroup): Record<string, string> =>
  Object.fromEntries(Object.entries(orders).map(([name, { mode }]) => [name, mode]));
const tierOf = (group: AgentGroup): string => readTierTags(group.body.tags)?.tier ?? 'T0';

describe('the agent stays beside the programs', () => {
  const { subnetId: _, ...outside } = node;
  it.each<[string, Raw, Raw]>([
    ['a startup probe', { startupProbe: hook }, {}],
    ['a liveness probe by tcp', { livenessProbe: { tcpSocket: { port: 80 } } }, {}],
    ['a liveness probe with a grace period', { livenessProbe: { ...hook, terminationGracePeriodSeconds: 5 } }, {}],
    ['a readiness probe by exec', { readinessProbe: hook }, {}],
    ['a hook', preStop, {}],
    ['a stop signal', { lifecycle: { stopSignal: 'SIGUSR1' } }, {}],
    ['an input', { stdin: true }, {}],
    ['a terminal', { tty: true }, {}],
    ['a path of the termination message', { terminationMessagePath: '/x' }, {}],
    ['the default path, where the program is given it', { args: ['>/dev/termination-log'] }, {}],
    ['or finds it in its environment', { env: [{ name: 'A', value: '/dev/termination-log' }] }, {}],
    ['a restart policy of its own', { restartPolicy: 'OnFailure' }, {}],
    ['a long grace period', {}, { terminationGracePeriodSeconds: 31 }],
  ])('for %s', (_name, container, spec) => {
    const group = grouped(withContainer(container, spec));
    expect([tierOf(group), modesOf(group)]).toEqual(['T2', { main: 'supervise' }]);
  });

  it.each<[string, Raw, Raw]>([
    ['a readiness probe that the relay makes', { readinessProbe: { tcpSocket: { port: 80 } } }, {}],
    ['a liveness probe that ACI makes', { livenessProbe: hook }, {}],
    ['a hook that only waits', { lifecycle: { preStop: { sleep: { seconds: 5 } } } }, {}],
    ['the usual grace period', {}, { terminationGracePeriodSeconds: 30 }],
    ['the default path of the termination message', {}, {}],
    ['the end of the log as the message', { terminationMessagePolicy: 'FallbackToLogsOnError' }, {}],
  ])('but not for %s', (_name, container, spec) => expect(tierOf(grouped(withContainer(container, spec)))).toBe('T0'));

  it('for any readiness probe where no relay reaches the pod', () => {
    const pod = withContainer({ readinessProbe: { tcpSocket: { port: 80 } } });
    const { orders } = grouped(pod, references(), outside);
    expect(orders['main']?.supervise?.readinessProbe?.tcpSocket).toEqual({ port: 80 });
    expect(inspectPod(pod, { ...outside, agent: { mode: 'auto' } }).refusal?.message).toContain('in no subnet');
  });

  it('for a token that a service may outlive, and renews it', () => {
    const volumes = [
      { name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3607 } }] } },
    ];
    const pod = (restartPolicy: string) =>
      withContainer({ volumeMounts: [{ name: 't', mountPath: '/t' }] }, { volumes, restartPolicy });
    const day = references({}, { tokens: [{ value: 'x', lifetimeSeconds: 86_400 }] });
    const year = references({}, { tokens: [{ value: 'x', lifetimeSeconds: 31_536_000 }] });
    expect(grouped(pod('Always'), day).orders['main']?.live).toEqual([{ name: 't', path: '/.sk-v/0' }]);
    expect(grouped(pod('Always'), day).notices).toEqual([]);
    expect([tierOf(grouped(pod('Always'), year)), tierOf(grouped(pod('Never'), day))]).toEqual(['T0', 'T0']);
    expect(grouped(pod('Never'), day).notices).toMatchObject([{ reason: 'TokenNotRenewed' }]);
  });
});

describe('where one container is supervised', () => {
  const pair = (more: Raw = {}) =>
    podOf({
      containers: [rawContainer(preStop), rawContainer({ name: 'plain', ...more })],
      initContainers: [rawContainer({ name: 'first' }), rawContainer({ name: 'second', workingDir: '/x' })],
    });

  it('all are that run beside it, and init containers as they ask', () =>
    expect(modesOf(grouped(pair()))).toEqual({ second: 'exec', main: 'supervise', plain: 'supervise' }));

  it('the images of all are asked for', () =>
    expect(imageReferences(pair({ image: 'other' }), node, resolved()).map(({ image }) => image)).toEqual([
      'busybox',
      'other',
    ]));

  it('only that one is where the group has no room for more', () => {
    const volumes = Array.from({ length: 15 }, (_, index) => ({ name: `v${index}`, emptyDir: {} }));
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
    const containers = [
      rawContainer({ ...preStop, volumeMounts }),
      rawContainer({ name: 'b' }),
      rawContainer({ name: 'c' }),
    ];
    expect(modesOf(grouped(podOf({ containers, volumes })))).toEqual({ main: 'supervise' });
  });
});

describe('a program that has to be process 1', () => {
  const images = { s6: { ok: true, value: image({ entrypoint: ['/init'] }) } } as const;
  const s6 = (more: Raw = {}) => rawContainer({ name: 's6', image: 's6', ...more });
  const refusal = (pod: ReturnType<typeof podOf>) => {
    const translation = translate(pod, references({}, { images }));
    return translation.kind === 'refused' ? translation.message : translation.kind;
  };

  it.each<[string, Raw]>([
    ['by its image', {}],
    ['by its command', { image: 'busybox', command: ['/sbin/init'] }],
  ])('%s, is refused what needs a parent', (_, more) =>
    expect(refusal(podOf({ containers: [s6({ ...preStop, ...more })] }))).toMatch(
      /^spec\.containers\[0\]\.lifecycle\.preStop\.exec: \S+ runs as process 1 alone, and the agent would have to be that for it$/,
    ),
  );

  it('is prepared, and becomes process 1', () =>
    expect(modesOf(grouped(podOf({ containers: [s6({ workingDir: '/x' })] }), references({}, { images })))).toEqual({
      s6: 'exec',
    }));

  it('goes without what is only wanted', () =>
    expect(
      modesOf(grouped(podOf({ terminationGracePeriodSeconds: 60, containers: [s6()] }), references({}, { images }))),
    ).toEqual({}));

  it('is left alone beside one that is supervised', () => {
    const { body, orders } = grouped(podOf({ containers: [rawContainer(preStop), s6()] }), references({}, { images }));
    expect(Object.keys(orders)).toEqual(['main']);
    expect(body.containers[1]?.command).toBeUndefined();
  });

  it('can’t be waited for by a sidecar', () =>
    expect(
      refusal(
        podOf({ containers: [s6()], initContainers: [rawContainer({ name: 'proxy', restartPolicy: 'Always' })] }),
      ),
    ).toContain('spec.initContainers[0].restartPolicy: /init runs as process 1 alone'));
});

describe('what the agent does beside a program', () => {
  const usual = {
    restartPolicy: 'Always',
    graceSeconds: 30,
    termination: { path: '/dev/termination-log', policy: 'File' },
  };

  it.each<[string, readonly [container: Raw, spec?: Raw, config?: Partial<ImageConfig>], Partial<Supervise>]>([
    ['the grace of the pod', [preStop, { terminationGracePeriodSeconds: 0 }], { graceSeconds: 0, preStop: hook }],
    ['the image’s stop signal', [preStop, {}, { stopSignal: 'SIGQUIT' }], { stopSignal: 'SIGQUIT', preStop: hook }],
    [
      'the pod’s before it',
      [{ lifecycle: { stopSignal: 'SIGUSR1' } }, {}, { stopSignal: 'SIGQUIT' }],
      { stopSignal: 'SIGUSR1' },
    ],
    [
      'hooks',
      [
        {
          ports: [{ containerPort: 81, name: 'http' }],
          lifecycle: { postStart: { httpGet: { path: 'a', port: 'http' } }, preStop: { sleep: { seconds: 5 } } },
        },
      ],
      { postStart: { httpGet: { path: '/a', port: 81, scheme: 'HTTP' } }, preStop: { sleep: { seconds: 5 } } },
    ],
    ['a policy of its own', [{ restartPolicy: 'Never' }], { restart: { policy: 'Never' } }],
    [
      'the path and policy of the message',
      [{ terminationMessagePath: '/a/./b/', terminationMessagePolicy: 'FallbackToLogsOnError' }],
      { termination: { path: '/a/b', policy: 'FallbackToLogsOnError', keepLog: true } },
    ],
  ])('%s', (_, asked, expected) => expect(supervised(...asked)).toEqual({ ...usual, ...expected }));

  it('all probes of a container beside whose program it stays, also those that the relay or ACI could make', () => {
    const readinessProbe = { tcpSocket: { port: 80 } };
    const { orders, body } = grouped(withContainer({ ...preStop, readinessProbe, livenessProbe: hook }));
    expect(Object.keys(orders['main']?.supervise ?? {})).toEqual([
      'restartPolicy',
      'graceSeconds',
      'termination',
      'livenessProbe',
      'readinessProbe',
      'preStop',
    ]);
    expect(body.containers[0]?.livenessProbe).toBeUndefined();
    const own = grouped(withContainer({ readinessProbe, startupProbe: hook })).orders['main']?.supervise;
    expect([own?.readinessProbe?.tcpSocket, own?.startupProbe?.exec]).toEqual([{ port: 80 }, { command: ['/x'] }]);
  });

  it('leaves ACI’s own probe to ACI where it only prepares', () =>
    expect(
      grouped(withContainer({ workingDir: '/x', livenessProbe: hook })).body.containers[0]?.livenessProbe?.exec,
    ).toEqual({ command: ['/x'] }));

  it('refuses a port that the container has not', () =>
    expect(
      inspectPod(withContainer({ lifecycle: { preStop: { httpGet: { port: 'no' } } } }), node).refusal?.message,
    ).toBe('spec.containers[0].lifecycle.preStop.httpGet.port: the container has no port of the name no'));

  it.each<[string, Raw, string]>([
    [
      'a hook that no kubelet runs',
      { lifecycle: { postStart: { tcpSocket: { port: 80 } } } },
      'spec.containers[0].lifecycle.postStart.tcpSocket',
    ],
    [
      'an init container with a policy that is none of a sidecar',
      { restartPolicy: 'OnFailure' },
      'spec.initContainers[0].restartPolicy',
    ],
  ])('refuses %s', (_, more, field) => {
    const one = rawContainer({ name: 'one', ...more });
    const pod = field.startsWith('spec.init') ? podOf({ initContainers: [one] }) : podOf({ containers: [one] });
    expect(inspectPod(pod, node).refusal?.field).toBe(field);
  });
});

describe('sidecars', () => {
  const sidecar = (name: string, more: Raw = {}): Raw => rawContainer({ name, restartPolicy: 'Always', ...more });
  const init = (name: string, more: Raw = {}): Raw => rawContainer({ name, ...more });
  const podWith = (initContainers: readonly Raw[], spec: Raw = {}) =>
    podOf({ initContainers, containers: [rawContainer(), rawContainer({ name: 'b' })], ...spec });
  const flat = podWith([init('before'), sidecar('one'), init('between'), sidecar('two')], { restartPolicy: 'Never' });
  const order = ({ orders }: AgentGroup): Record<string, Partial<Supervise>> =>
    Object.fromEntries(
      Object.entries(orders).map(([name, { supervise }]) => {
        const { after, endAfter, once, restart }: Partial<Supervise> = supervise ?? {};
        return [name, JSON.parse(JSON.stringify({ after, endAfter, once, restart }))];
      }),
    );

  it('run beside the others, and init containers behind them too', () => {
    const { body } = grouped(flat);
    expect(body.initContainers.map(({ name }) => name)).toEqual(['sk-install', 'before']);
    expect(body.containers.map(({ name }) => name)).toEqual(['one', 'between', 'two', 'main', 'b']);
  });

  it('start and end in a kubelet’s order', () =>
    expect(order(grouped(flat))).toEqual({
      one: { endAfter: ['main', 'b', 'two'], restart: { policy: 'Always' } },
      between: { after: [{ container: 'one', until: 'started' }], once: true },
      two: {
        after: [{ container: 'between', until: 'succeeded' }],
        endAfter: ['main', 'b'],
        restart: { policy: 'Always' },
      },
      main: { after: [{ container: 'two', until: 'started' }] },
      b: { after: [{ container: 'two', until: 'started' }] },
    }));

  it('are restarted by ACI where all are', () =>
    expect(order(grouped(podWith([sidecar('one')])))['one']).toEqual({ endAfter: ['main', 'b'] }));

  it('have their probes made by the agent: the relay knows containers alone', () =>
    expect(
      grouped(podWith([sidecar('one', { readinessProbe: { tcpSocket: { port: 1 } } })])).orders['one']?.supervise
        ?.readinessProbe?.tcpSocket,
    ).toEqual({ port: 1 }));

  it.each<[string, readonly Raw[], number, readonly number[]]>([
    ['count with the containers', [sidecar('s', { resources: { requests: { cpu: '2' } } })], 2.2, [2, 0.1, 0.1]],
    [
      'and with an init container that runs beside them',
      [sidecar('s', { resources: { requests: { cpu: '2' } } }), init('i', { resources: { requests: { cpu: '3' } } })],
      5,
      [2, 0.01, 2.89, 0.1],
    ],
    [
      'but not with one that runs before',
      [init('i', { resources: { requests: { cpu: '2' } } }), sidecar('s', { resources: { requests: { cpu: '1' } } })],
      2,
      [1, 0.9, 0.1],
    ],
  ])('%s', (_, inits, total, requests) => {
    const { body } = grouped(podWith(inits));
    const cpus = body.containers.map(({ resources }) => resources.requests.cpu);
    expect(cpus).toEqual(requests);
    expect(cpus.reduce((sum, cpu) => sum + Math.round(cpu * 100), 0) / 100).toBe(total);
    expect(body.containers.map(({ resources }) => resources.limits?.cpu)).toEqual(cpus.map(() => total));
  });
});

describe('live volumes', () => {
  const volumes = [{ name: 'conf', configMap: { name: 'settings', optional: true } }];
  const mount = (more: Raw = {}) => ({ volumeMounts: [{ name: 'conf', mountPath: '/c', ...more }] });
  const liveOf = (containers: readonly Raw[], known = references()) =>
    Object.fromEntries(
      Object.entries(grouped(podOf({ volumes, containers }), known).orders).map(([name, { live }]) => [
        name,
        live?.length ?? 0,
      ]),
    );

  it('are changed by one agent each, which sees them writable and its program does not', () => {
    const containers = [rawContainer({ ...preStop, ...mount() }), rawContainer({ name: 'b', ...mount() })];
    const group = grouped(podOf({ volumes, containers }));
    expect(group.body.containers[0]?.volumeMounts.slice(0, 2)).toEqual([
      { name: 'conf', mountPath: '/c', readOnly: true },
      { name: 'conf', mountPath: '/.sk-v/0' },
    ]);
    expect([group.orders['main']?.live, group.orders['b']?.live]).toEqual([
      [{ name: 'conf', path: '/.sk-v/0' }],
      undefined,
    ]);
    expect(group.install?.volumes).toMatchObject([{ name: 'conf', layout: 'data', uid: 0, readOnly: true }]);
  });

  it('are so of the first whose user is known by number', () => {
    const images = { named: { ok: true, value: image({ user: 'nginx' }) } } as const;
    const containers = [
      rawContainer({ image: 'named', ...preStop, ...mount() }),
      rawContainer({ name: 'b', ...mount() }),
    ];
    expect(liveOf(containers, references({}, { images }))).toEqual({ main: 0, b: 1 });
    expect(liveOf([rawContainer({ image: 'named', ...preStop, ...mount() })], references({}, { images }))).toEqual({
      main: 0,
    });
  });

  it('are not so by a part, nor where the agent only prepares', () => {
    expect(liveOf([rawContainer({ ...preStop, ...mount({ subPath: 'app.conf' }) })])).toEqual({ main: 0 });
    expect(liveOf([rawContainer({ workingDir: '/x', ...mount() })])).toEqual({ main: 0 });
  });

  it('begin empty where there is nothing yet', () => {
    const group = grouped(
      podOf({ volumes, containers: [rawContainer({ ...preStop, ...mount() })] }),
      references({}, { configMaps: { other: configMap({}) } }),
    );
    expect(group.body.volumes[0]).toEqual({ name: 'conf', emptyDir: {} });
    expect(group.install?.volumes?.[0]).toMatchObject({ layout: 'data', files: [] });
  });
});
