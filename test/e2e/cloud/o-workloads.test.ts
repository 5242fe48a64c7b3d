/** Servers on the whole cloud: rolled under load, found by name before and after they are ready, ended by a signal of their own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from './app-settings.ts';
import { recordPods } from './oracles.ts';
import { apply, createNamespace, field, kubectl, output, pod, removeNamespace, until } from './cloud.ts';
import { service, sh, workload } from './workload.ts';

const namespace = 'o-workloads';
const published = settings()['AGENT_IMAGE'];
/** It has curl and a resolver, too. */
const nginx = 'nginx:latest';
const recorder = recordPods(namespace);
const inPod = async (name: string, script: string): Promise<string> =>
  (await kubectl(['exec', '-n', namespace, name, '--', 'sh', '-c', script])).stdout;
const of = (kind: string, name: string, path: string): Promise<string> => field(kind, name, path, namespace);
const started = (name: string): Promise<string> =>
  until(
    `${name} runs`,
    () => of('pod', name, '{.status.containerStatuses[0].state.running.startedAt}'),
    (seen) => seen !== '',
    180_000,
  );

const root = { path: '/', port: 'http' };
const web = workload(
  'Deployment',
  {
    namespace,
    name: 'web',
    image: nginx,
    command: ['nginx', '-g', 'daemon off;'],
    container: {
      ports: [{ name: 'http', containerPort: 80 }],
      startupProbe: { httpGet: root, periodSeconds: 1, failureThreshold: 60 },
      readinessProbe: { httpGet: root, periodSeconds: 1 },
      livenessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 5 },
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
    },
    spec: { terminationGracePeriodSeconds: 20 },
  },
  { replicas: 3, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 2 } } },
);

/** Four clients at once ask for the Service's address, each time over a connection of its own. */
const load = pod('load', {
  namespace,
  image: nginx,
  command: sh(
    'until curl -sfo /dev/null -m 2 http://$WEB_SERVICE_HOST/; do sleep 1; done; for n in 1 2 3 4; do while :; do curl -sSfo /dev/null -m 10 http://$WEB_SERVICE_HOST/ 2>>/tmp/bad && echo >>/tmp/ok.$n; sleep 0.05; done & done; touch /tmp/bad; wait',
  ),
});

/** Ready when it is told so. */
const peers = (name: string, replicas: number): object =>
  workload(
    'StatefulSet',
    {
      namespace,
      name,
      image: nginx,
      command: sh(
        'mkdir -p /tmp/www; echo $HOSTNAME >/tmp/www/name; echo "events {} http { server { listen 8080; root /tmp/www; } }" >/tmp/nginx.conf; exec nginx -c /tmp/nginx.conf -g "daemon off;"',
      ),
      container: {
        ports: [{ containerPort: 8080 }],
        readinessProbe: { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1 },
      },
    },
    { replicas, serviceName: name, podManagementPolicy: 'Parallel' },
  );

const three = ['peer-0', 'peer-1', 'peer-2'];
const names = `${three.join('\n')}\n`;
const met = (from: string): Promise<string> =>
  inPod(from, 'for i in 0 1 2; do curl -s -m 5 http://peer-$i.peer:8080/name; done');
const resolved = (name: string): Promise<string> => inPod('peer-0', `getent hosts ${name} | cut -d " " -f 1`);

describe.runIf(published !== undefined)('servers', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(
      service(namespace, 'web', 80),
      service(namespace, 'peer', 8080, { clusterIP: 'None', publishNotReadyAddresses: true }),
      service(namespace, 'cast', 8080, { clusterIP: 'None' }),
      web,
      load,
      peers('peer', 3),
      peers('cast', 1),
      pod('signal', {
        namespace,
        command: sh('trap "exit 8" USR1; trap "exit 9" TERM; echo ready; while true; do sleep 1; done'),
        container: { lifecycle: { stopSignal: 'SIGUSR1' } },
        spec: { os: { name: 'linux' }, terminationGracePeriodSeconds: 20 },
      }),
    );
  });
  afterAll(async () => {
    await recorder.stop();
    await removeNamespace(namespace);
  });

  it('a deleted pod gets the signal that it asks for', async () => {
    expect(await of('pod', 'signal', '{.spec.containers[0].lifecycle.stopSignal}')).toBe('SIGUSR1');
    await until(
      'it is ready',
      async () => (await kubectl(['logs', '-n', namespace, 'signal'])).stdout,
      (seen) => seen === 'ready\n',
      180_000,
    );
    await output('delete', 'pod', '-n', namespace, 'signal', '--timeout=90s');
    const last = (): number | undefined =>
      recorder.of('signal')?.pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode;
    await until(
      'its end was seen',
      async () => last(),
      (code) => code !== undefined,
      30_000,
    );
    expect(last()).toBe(8);
  });

  it('peers know their own name, and find each other before they are ready where their Service says so', async () => {
    for (const name of [...three, 'cast-0']) await started(name);
    for (const name of three) {
      const own = await inPod(name, 'cat /etc/hostname; echo $HOSTNAME; tail -n 1 /etc/hosts');
      const ip = await of('pod', name, '{.status.podIP}');
      expect(own).toBe(`${name}\n${name}\n${ip}\t${name}.peer.${namespace}.svc.cluster.local\t${name}\n`);
    }
    const all = async (): Promise<string> => (await Promise.all(three.map(met))).join('');
    await until('all meet', all, (seen) => seen === names.repeat(3), 90_000);
    expect(await of('statefulset', 'peer', '{.status.readyReplicas}')).toMatch(/^0?$/);
    expect(await resolved('cast-0.cast')).toBe('');
    await inPod('cast-0', 'touch /tmp/ready');
    const cast = await of('pod', 'cast-0', '{.status.podIP}');
    // A name that was not found is remembered as such for half a minute.
    await until(
      'it is found',
      () => resolved('cast-0.cast'),
      (seen) => seen.trim() === cast,
      120_000,
    );
  });

  it('a peer that comes back is reached under the same name at its new address', async () => {
    for (const name of three) await started(name);
    const [address, uid] = [await of('pod', 'peer-1', '{.status.podIP}'), await of('pod', 'peer-1', '{.metadata.uid}')];
    await output('delete', 'pod', '-n', namespace, 'peer-1', '--timeout=60s');
    const next = await until(
      'peer-1 is back',
      () => of('pod', 'peer-1', '{.status.podIP}'),
      (ip) => ip !== '' && ip !== address,
      180_000,
    );
    expect(await of('pod', 'peer-1', '{.metadata.uid}')).not.toBe(uid);
    await until(
      'peer-0 has its address',
      () => resolved('peer-1.peer'),
      (seen) => seen.trim() === next,
      120_000,
    );
    await until(
      'both meet it',
      async () => (await met('peer-0')) + (await met('peer-2')),
      (seen) => seen === names.repeat(2),
      90_000,
    );
  });

  it('a web server is rolled under load without a failed request', async () => {
    const served = async (): Promise<number> => Number(await inPod('load', 'cat /tmp/ok.* | wc -l'));
    await until('there is load', served, (count) => count > 100, 180_000);
    await output('rollout', 'status', '-n', namespace, 'deployment/web', '--timeout=180s');
    const before = await served();
    for (const change of [
      ['set', 'env', 'deployment/web', 'ROLLED=once'],
      ['rollout', 'restart', 'deployment/web'],
    ]) {
      await output(...change, '-n', namespace);
      await output('rollout', 'status', '-n', namespace, 'deployment/web', '--timeout=240s');
    }
    const left = (): Promise<string> => output('get', 'pods', '-n', namespace, '-l', 'app=web', '-o', 'name');
    await until('the old ones are gone', left, (seen) => seen.trim().split('\n').length === 3, 120_000);
    const after = await served();
    console.log(`${after - before} requests while it was rolled twice`);
    expect(await inPod('load', 'cat /tmp/bad')).toBe('');
    expect(after - before).toBeGreaterThan(200);
  });
});
