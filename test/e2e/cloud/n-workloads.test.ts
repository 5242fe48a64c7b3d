/** What people run on a cluster, in the shapes that their tools give it: a rolled web server, peers, steps, a runner's job. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from './app-settings.ts';
import { apply, createNamespace, field, kubectl, output, phase, pod, removeNamespace, until } from './cloud.ts';
import { folder, load, named, namespace, peers, policy, runner, service, sh, steps, web } from './workloads.ts';

const restricted = 'n-workloads-restricted';
const published = settings()['AGENT_IMAGE'];
const logs = (name: string, ...more: readonly string[]): Promise<string> =>
  output('logs', '-n', namespace, name, ...more);
const inPod = (name: string, script: string): Promise<string> =>
  output('exec', '-n', namespace, name, '--', 'sh', '-c', script);
const runs = (name: string): Promise<string> =>
  until(
    `${name} is ready`,
    () => field('pod', name, '{.status.containerStatuses[*].ready}', namespace),
    isAllTrue,
    180_000,
  );
const isAllTrue = (ready: string): boolean => /^true( true)*$/.test(ready);
const of = (kind: string, name: string, path: string): Promise<string> => field(kind, name, path, namespace);

describe.runIf(published !== undefined)('workloads', () => {
  beforeAll(async () => {
    await Promise.all([createNamespace(namespace), createNamespace(restricted)]);
    await output('label', 'namespace', restricted, 'pod-security.kubernetes.io/enforce=restricted');
    await apply(
      service('web', 80),
      service('peer', 8080, { clusterIP: 'None', publishNotReadyAddresses: true }),
      web,
      peers,
      load,
      steps,
      policy,
      pod('job', {
        namespace,
        spec: { volumes: [{ name: 'builds', emptyDir: {} }], containers: [runner('build'), runner('helper')] },
      }),
      pod('asks', {
        namespace,
        image: 'registry.local/busybox:1',
        command: named,
        spec: { hostname: 'db-7', subdomain: 'peer' },
      }),
      pod('is-named', {
        namespace,
        image: 'registry.local/busybox:1',
        command: named,
        container: { workingDir: '/srv' },
      }),
      pod('full', {
        namespace: restricted,
        command: sh(
          'id -u; id -G; grep NoNewPrivs /proc/self/status; stat -c %g /data/y 2>/dev/null || { echo x >/data/y; stat -c %g /data/y; }; echo out >/dev/stdout',
        ),
        container: {
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [folder('data', '/data')],
        },
        spec: {
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 10_001,
            runAsGroup: 10_001,
            fsGroup: 20_002,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          volumes: [{ name: 'data', emptyDir: {} }],
        },
      }),
    );
  });
  afterAll(() => Promise.all([removeNamespace(namespace), removeNamespace(restricted)]));

  it('steps wait for the annotation that their controller sets, and for each other; each has its result', async () => {
    await runs('steps');
    await output('annotate', 'pod', 'steps', '-n', namespace, 'steps/ready=READY');
    await until(
      'the steps have ended',
      () => phase('steps', namespace),
      (seen) => seen === 'Succeeded',
      240_000,
    );
    const message = '{range .status.containerStatuses[*]}{.state.terminated.message}{"\\n"}{end}';
    expect((await of('pod', 'steps', message)).trim().split('\n')).toEqual([
      '[{"key":"/tekton/run/0","value":"0"}]',
      '[{"key":"/tekton/run/1","value":"0"}]',
    ]);
    expect(await logs('steps', '-c', 'step-two')).toBe('two\n');
  });

  it('a job of a runner is driven by attach and exec alone', async () => {
    await runs('job');
    // The shell goes on when the runner's input has ended, and so does attach: it is left after a while.
    const attached = await kubectl(['attach', '-n', namespace, '-i', 'job', '-c', 'build'], {
      input: 'echo from attach; echo artefact >/builds/out\n',
      timeoutMs: 15_000,
    });
    expect(attached.stdout).toBe('from attach\n');
    const script = 'cat /builds/out; echo stage; exit 3\n';
    const stage = await kubectl(['exec', '-n', namespace, '-i', 'job', '-c', 'helper', '--', 'sh'], { input: script });
    expect(stage).toMatchObject({ code: 3, stdout: 'artefact\nstage\n' });
    expect(await logs('job', '-c', 'build')).toBe('from attach\n');
  });

  it('a Job fails by its policy for exit codes', async () => {
    const reason = (): Promise<string> => of('job', 'policy', '{.status.conditions[?(@.type=="Failed")].reason}');
    expect(await until('the Job has failed', reason, (seen) => seen !== '', 180_000)).toBe('PodFailurePolicy');
  });

  it('a pod of a restricted namespace is who it is to be', async () => {
    await until(
      'it has ended',
      () => phase('full', restricted),
      (seen) => seen === 'Succeeded',
      180_000,
    );
    expect((await output('logs', '-n', restricted, 'full')).split('\n')).toEqual([
      '10001',
      '10001 20002',
      'NoNewPrivs:\t1',
      '20002',
      'out',
      '',
    ]);
  });

  it('a pod has its name, or the one that it asks for', async () => {
    for (const name of ['asks', 'is-named'])
      await until(
        `${name} has ended`,
        () => phase(name, namespace),
        (seen) => seen === 'Succeeded',
        120_000,
      );
    const full = `db-7.peer.${namespace}.svc.cluster.local`;
    expect(await logs('asks')).toBe(`db-7\ndb-7\n${full}\tdb-7\n`);
    expect(await logs('is-named')).toBe('is-named\nis-named\nis-named\n');
  });

  it('peers find each other by their names, also one that comes back at another address', async () => {
    const others = ['peer-0', 'peer-1', 'peer-2'];
    for (const one of others) await runs(one);
    const met = (from: string): Promise<string> =>
      inPod(from, 'for i in 0 1 2; do curl -s -m 5 http://peer-$i.peer:8080/name; done');
    const all = `${others.join('\n')}\n`;
    await until(
      'all meet',
      async () => (await Promise.all(others.map(met))).join(''),
      (seen) => seen === all.repeat(3),
      60_000,
    );
    const address = await of('pod', 'peer-1', '{.status.podIP}');
    await output('delete', 'pod', '-n', namespace, 'peer-1', '--timeout=60s');
    await until(
      'peer-1 is back',
      () => of('pod', 'peer-1', '{.status.podIP}'),
      (ip) => ip !== '' && ip !== address,
      180_000,
    );
    await runs('peer-1');
    const again = await until(
      'peer-0 meets it',
      () => met('peer-0'),
      (seen) => seen === all,
      60_000,
    );
    expect(again).toBe(all);
  });

  it('a web server is rolled without a failed request', async () => {
    const counted = async () => {
      const [ok = 0, bad = 0] = (await inPod('load', 'cat /tmp/count')).trim().split(' ').map(Number);
      return { ok, bad };
    };
    await until(
      'there is load',
      async () => (await kubectl(['exec', '-n', namespace, 'load', '--', 'cat', '/tmp/count'])).stdout,
      (seen) => seen !== '',
      180_000,
    );
    await output('rollout', 'status', '-n', namespace, 'deployment/web', '--timeout=180s');
    const before = await counted();
    await output('rollout', 'restart', '-n', namespace, 'deployment/web');
    await output('rollout', 'status', '-n', namespace, 'deployment/web', '--timeout=240s');
    const gone = (): Promise<string> => output('get', 'pods', '-n', namespace, '-l', 'app=web', '-o', 'name');
    await until('the old ones are gone', gone, (names) => names.trim().split('\n').length === 2, 120_000);
    const after = await counted();
    expect(after.ok - before.ok).toBeGreaterThan(20);
    expect(after.bad).toBe(before.bad);
    expect(before.bad).toBe(0);
  });
});
