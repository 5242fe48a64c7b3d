/** Volumes of a running pod follow what they are made of: real Kubernetes, real containers, the packaged agent beside the program. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from './app-settings.ts';
import {
  apply,
  createNamespace,
  field,
  groupOf,
  kubectl,
  output,
  phase,
  pod,
  removeNamespace,
  runs,
  until,
} from './cloud.ts';

const namespace = 'm-files';
const name = 'follows';
/** A look each minute, by a timer of half a minute. */
/** Two minutes of the product, and what a busy machine adds. */
const longestMs = 240_000;

const conf = (data: Readonly<Record<string, string>>): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'conf', namespace },
  data,
});

/** Writes down each pair that it finds in one version of the volume. */
const watcher = `last=; while :; do
  now=$(cd -P /etc/conf/..data && cat a b 2>/dev/null | tr -d "\\n")
  if [ "$now" != "$last" ]; then echo "pair $now"; last=$now; fi
  sleep 0.02
done`;

async function read(path: string): Promise<string> {
  const { stdout } = await kubectl(['exec', '-n', namespace, name, '--', 'sh', '-c', `cat ${path}`]);
  return stdout.trim();
}

const issuedAt = (token: string): number =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).iat;

describe.runIf(settings()['AGENT_IMAGE'] !== undefined)('a pod whose volumes are live', () => {
  let first = '';
  beforeAll(async () => {
    await createNamespace(namespace);
    const volumeMounts = [
      { name: 'conf', mountPath: '/etc/conf' },
      { name: 'conf', mountPath: '/etc/part', subPath: 'a' },
      { name: 'labels', mountPath: '/etc/pod' },
      { name: 'token', mountPath: '/etc/token' },
    ];
    const volumes = [
      { name: 'conf', configMap: { name: 'conf' } },
      {
        name: 'labels',
        downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
      },
      {
        name: 'token',
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 3600 } },
            { configMap: { name: 'conf' } },
          ],
        },
      },
    ];
    await apply(
      conf({ a: '1', b: '1' }),
      pod(name, {
        namespace,
        restartPolicy: 'Always',
        labels: { tier: 'one' },
        command: ['sh', '-c', watcher],
        container: { volumeMounts },
        spec: { volumes },
      }),
    );
    await until(
      `${name} runs`,
      () => phase(name, namespace),
      (seen) => seen === 'Running',
      180_000,
    );
    first = await until(
      'its token',
      () => read('/etc/token/token'),
      (token) => token.split('.').length === 3,
      60_000,
    );
  });
  afterAll(() => removeNamespace(namespace));

  it('has the agent for it, and its files as they are at its start', async () => {
    const { tags } = (await groupOf(name, namespace)) ?? {};
    expect(tags?.['serverless-kubelet-tier']).toBe('T2');
    expect(await read('/etc/conf/a /etc/part /etc/pod/labels')).toMatch(/^11tier="one"$/mu);
  });

  it('sees a change within two minutes, all of a volume at once, and a part of it never', async () => {
    await apply(conf({ a: '2', b: '2', c: 'more' }));
    const found = await until(
      'the change',
      () => read('/etc/conf/a /etc/conf/c'),
      (seen) => seen === '2more',
      longestMs,
    );
    expect(found).toBe('2more');
    expect(await read('/etc/part')).toBe('1');
    expect((await output('logs', '-n', namespace, name)).trim().split(/\n/)).toEqual(['pair 11', 'pair 22']);
  });

  it('has another token with what else is in its volume', async () => {
    const token = await until(
      'another token',
      () => read('/etc/token/token'),
      (seen) => seen !== first,
      longestMs,
    );
    expect(issuedAt(token)).toBeGreaterThan(issuedAt(first));
  });

  it('sees its labels as they become', async () => {
    await output('label', 'pod', '-n', namespace, name, 'tier=two', '--overwrite');
    const isTwo = (seen: string): boolean => seen.includes('tier="two"');
    expect(isTwo(await until('the label', () => read('/etc/pod/labels'), isTwo, longestMs))).toBe(true);
  });

  it('keeps its files where the ConfigMap goes, and is reported that', async () => {
    await output('delete', 'configmap', '-n', namespace, 'conf');
    const messages = (): Promise<string> =>
      output(
        'get',
        'events',
        '-n',
        namespace,
        '--field-selector',
        `involvedObject.name=${name},reason=FailedMount`,
        '-o',
        'jsonpath={.items[*].message}',
      );
    await until('the event', messages, (seen) => seen.includes('configmap "conf" not found'), longestMs);
    expect(await read('/etc/conf/a')).toBe('2');
  });

  it('was not restarted by any of it', async () => {
    const uid = await field('pod', name, '{.metadata.uid}', namespace);
    expect((await runs()).filter((one) => one.uid === uid && one.container === 'main')).toHaveLength(1);
  });
});
