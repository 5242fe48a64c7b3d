/** O5, after all that the other files did: no secret value outside the container and its `secureValue`. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  appToken,
  apply,
  createNamespace,
  dir,
  groups,
  journal,
  kubectl,
  output,
  pod,
  removeNamespace,
  runs,
  until,
} from './cloud.ts';
import { dumpTables, settings } from './tables.ts';
import type { PodRecorder } from '../pod-recorder.ts';
import { recordPods } from './oracles.ts';

const namespace = 'planted';
const planted = {
  env: 'planted-env-Qz71kd9WmX',
  all: 'planted-all-8Hs2LpVb0T',
  file: 'planted-file-mN4xYc6RgE',
  registry: 'planted-registry-5uJtAo3KfZ',
};
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const objects = [
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'values', namespace },
    stringData: { env: planted.env, ALL: planted.all, file: planted.file },
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'registry', namespace },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: {
      '.dockerconfigjson': JSON.stringify({
        auths: { 'registry.example': { username: 'reader', password: planted.registry } },
      }),
    },
  },
];

const secrets = {
  env: [
    { name: 'ENV', valueFrom: { secretKeyRef: { name: 'values', key: 'env' } } },
    { name: 'EXPANDED', value: 'expanded $(ENV)' },
  ],
  envFrom: [{ secretRef: { name: 'values' } }],
  volumeMounts: [{ name: 'secret', mountPath: '/secret' }],
};
const spec = {
  imagePullSecrets: [{ name: 'registry' }],
  volumes: [{ name: 'secret', secret: { secretName: 'values' } }],
};
const holder = (name: string, command: readonly string[], container: object = {}): object => {
  const [main] = [{ name: 'main', image: 'busybox:1.36', command, ...secrets, ...container }];
  return pod(name, { namespace, spec: { ...spec, containers: [main] } });
};
const hashes = 'for v in "$ENV" "$EXPANDED" "$ALL" "$(cat /secret/file)"; do printf %s "$v" | sha256sum; done';

/** Pods with the secrets in each way of ending: also the sentences of failures must not carry them. */
const pods = [
  holder('runs', ['sh', '-c', `${hashes}; sleep 3600`]),
  holder('ends', ['sh', '-c', 'exit 3']),
  holder('cannot-start', ['/no/such/program']),
  holder('refused', ['sleep', '1'], { resources: { requests: { cpu: '32' } } }),
  holder('no-image', ['sleep', '1'], { image: 'registry.example/nothing:1' }),
  holder('no-key', ['sleep', '1'], {
    env: [...secrets.env, { name: 'ABSENT', valueFrom: { secretKeyRef: { name: 'values', key: 'absent' } } }],
  }),
];

/** Files that hold credentials because that is what they are for; all are readable by their owner only. */
const keepers = [
  /^local\.settings\.json$/,
  /^host-keys\.json$/,
  /kubeconfig$/,
  /^relay\/(api-server-token|app-token|[^/]*\.key)$/,
  /^cluster\/(pki|etcd)\//,
  /^aci\//,
  /\.key$/,
];

/** Does not enter a folder of keepers: those of containers come and go meanwhile. */
function filesOfCloud(folder = ''): readonly string[] {
  return readdirSync(join(dir, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (keepers.some((keeper) => keeper.test(entry.isDirectory() ? `${path}/` : path))) return [];
    if (entry.isDirectory()) return filesOfCloud(path);
    return entry.isFile() ? [path] : [];
  });
}

describe('secret values', () => {
  let recorder: PodRecorder;

  beforeAll(async () => {
    await createNamespace(namespace);
    recorder = recordPods(namespace);
    await apply(...objects, ...pods);
    const reported = (name: string): string => {
      const status = recorder.of(name)?.pod.status;
      const waiting = status?.containerStatuses?.[0]?.state?.waiting?.reason;
      return waiting ?? status?.phase ?? '';
    };
    await until(
      'each pod came to its end',
      async () => pods.map((_, index) => reported(names[index] ?? '')),
      ([running, ended, unstarted, refused, ...waiting]) =>
        running === 'Running' &&
        ended === 'Failed' &&
        unstarted !== 'ContainerCreating' &&
        unstarted !== 'Pending' &&
        refused === 'Failed' &&
        waiting.every((reason) => reason !== 'Pending' && reason !== 'ContainerCreating' && reason !== ''),
      150_000,
    );
  });

  const names = ['runs', 'ends', 'cannot-start', 'refused', 'no-image', 'no-key'];

  afterAll(async () => {
    await recorder.stop();
    await removeNamespace(namespace);
  });

  it('reach the container', async () => {
    const log = await until(
      'the log',
      () => kubectl(['logs', 'runs', '-n', namespace]),
      ({ stdout }) => stdout.split('\n').length > 4,
    );
    const values = [planted.env, `expanded ${planted.env}`, planted.all, planted.file];
    expect(log.stdout.split('\n').slice(0, 4)).toEqual(values.map((value) => `${sha256(value)}  -`));
  });

  it('are nowhere else: rows, files, ARM’s answers, events, statuses', async () => {
    const relayToken = (name: string): string => readFileSync(join(dir, 'relay', name), 'utf8').trim();
    const raw = [
      ...Object.values(planted),
      appToken(),
      settings['IDENTITY_HEADER'] ?? '',
      relayToken('api-server-token'),
      relayToken('app-token'),
    ];
    expect(raw.filter((value) => value.length < 10)).toEqual([]);
    const needles = [
      ...raw,
      ...raw.map((value) =>
        Buffer.from(value)
          .toString('base64')
          .replace(/.{2}=*$/, ''),
      ),
    ];
    // Any token of any ServiceAccount begins so.
    const isLeak = (text: string): boolean =>
      needles.some((needle) => text.includes(needle)) || text.includes('eyJhbGciOi');
    const places: [string, string][] = [
      ...(await dumpTables()).map((row): [string, string] => [`row ${row.slice(0, 120)}`, row]),
      ...filesOfCloud().map((path): [string, string] => [path, readFileSync(join(dir, path), 'latin1')]),
      ['groups in ARM', JSON.stringify(await groups())],
      ['requests to ARM', JSON.stringify(await journal())],
      ['runs', JSON.stringify(await runs())],
      ['events', await output('get', 'events', '-A', '-o', 'json')],
      ['pods', await output('get', 'pods', '-A', '-o', 'json')],
      ['nodes', await output('get', 'nodes', '-o', 'json')],
    ];
    console.log(
      `searched ${places.length} places, ${places.reduce((sum, [, text]) => sum + text.length, 0)} characters`,
    );
    expect(places.map(([name]) => name)).toEqual(expect.arrayContaining(['logs/relay.log', 'logs/azurite.log']));
    expect(places.filter(([, text]) => isLeak(text)).map(([name]) => name)).toEqual([]);
  });

  it('cannot be in a webhook’s body: the app refuses more than keys, and never had to', () => {
    expect(readFileSync(join(dir, 'logs', 'relay.log'), 'utf8')).not.toContain('HTTP 400');
  });
});
