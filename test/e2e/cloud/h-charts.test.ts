/** Five shapes in which public charts come: from `helm install` to Ready or Complete, and gone again. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageIdOf, install, logOf, namespaceOf, ofPod, registryOrigin, shapes, uninstall } from './charts.ts';
import type { Shape } from './charts.ts';
import { apply, createNamespace, dir, output, pod, podNames, removeNamespace, runs, until } from './cloud.ts';

const sha256 = (text: string): string => `${createHash('sha256').update(text).digest('hex')}  -\n`;
const account = { name: 'charts', key: Buffer.from('key').toString('base64') };
const onShare = (share: string, file: string): string =>
  readFileSync(join(dir, 'aci', 'shares', account.name, share, file), 'utf8');

const isReady = '{.status.conditions[?(@.type=="Ready")].status}';
const imageIds = '{range .status.containerStatuses[*]}{.imageID}{end}';
const exitCodes = '{range .status.containerStatuses[*]}{.name}={.state.terminated.exitCode} {end}';

/** The only pod of a chart. */
async function podOf(shape: Shape): Promise<string> {
  const names = await podNames('', namespaceOf(shape));
  expect(names).toHaveLength(1);
  return names[0] ?? '';
}

/** Volumes as an administrator makes them by hand: one share for each replica, kept for its claim. */
const volumes = [0, 1].map((replica) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: `store-${replica}` },
  spec: {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteMany'],
    persistentVolumeReclaimPolicy: 'Retain',
    claimRef: { namespace: namespaceOf('store'), name: `data-store-${replica}` },
    csi: {
      driver: 'file.csi.azure.com',
      volumeHandle: `group#${account.name}#store-${replica}###`,
      nodeStageSecretRef: { name: 'account', namespace: namespaceOf('store') },
    },
  },
}));
const accountSecret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'account', namespace: namespaceOf('store') },
  stringData: { azurestorageaccountname: account.name, azurestorageaccountkey: account.key },
};

describe("the laptop cloud's registry", () => {
  it('is there where the gate runs', () => {
    expect(registryOrigin !== undefined || process.env['CI'] !== 'true').toBe(true);
  });
});

describe.runIf(registryOrigin !== undefined)('a chart, from helm install until nothing is left of it', () => {
  beforeAll(async () => {
    await Promise.all(shapes.map((shape) => createNamespace(namespaceOf(shape))));
  });
  afterAll(async () => {
    await Promise.all(shapes.map((shape) => removeNamespace(namespaceOf(shape))));
    await output('delete', 'pv', 'store-0', 'store-1', '--ignore-not-found', '--wait=false');
  });

  it('a web server in a restricted namespace answers behind its Service', async () => {
    const namespace = namespaceOf('web');
    await output('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
    await expect(apply(pod('unrestricted', { namespace }))).rejects.toThrow(/violates PodSecurity "restricted/);
    await install('web', { wait: true, values: { message: 'from the release' } });
    const ready = '{range .items[*].endpoints[?(@.conditions.ready==true)]}{.addresses[0]} {end}';
    const addresses = await output('-n', namespace, 'get', 'endpointslices', '-o', `jsonpath=${ready}`);
    expect(addresses.trim().split(' ')).toHaveLength(2);
    for (const address of addresses.trim().split(' ')) {
      expect(await (await fetch(`http://${address}:8080/chart/message`)).text()).toBe('from the release');
      expect(await (await fetch(`http://${address}:8080/index.html`)).text()).toBe('from the image\n');
    }
    for (const name of await podNames('', namespace)) {
      expect(await logOf('web', name, /\n/)).toBe('entrypoint: uid 101 runs httpd -f -p 8080 -h /srv\n');
      expect(await ofPod('web', name, imageIds)).toBe(await imageIdOf('web', '1'));
    }
    await uninstall('web');
  });

  it('a worker of a queue runs its arguments behind the entrypoint that its registry names, and ends by TERM', async () => {
    await install('worker', { wait: true });
    const name = await podOf('worker');
    expect(await logOf('worker', name, /\n/)).toBe('worker: started with --queue mail --concurrency 2\n');
    expect(await ofPod('worker', name, imageIds)).toBe(await imageIdOf('worker', '1'));
    const uid = await ofPod('worker', name, '{.metadata.uid}');
    await uninstall('worker');
    const ends = (await runs()).filter((one) => one.uid === uid).map((one) => one.exitCode);
    expect(ends).toEqual([0]);
  });

  it('a StatefulSet finds in its shares of Azure Files what the pod before it wrote', async () => {
    await apply(accountSecret, ...volumes);
    await install('store', { wait: true });
    const before = await ofPod('store', 'store-0', '{.metadata.uid}');
    await output('-n', namespaceOf('store'), 'delete', 'pod', 'store-0', '--wait=false');
    await until(
      'another store-0 is Ready',
      async () => [await ofPod('store', 'store-0', '{.metadata.uid}'), await ofPod('store', 'store-0', isReady)],
      ([uid, ready]) => uid !== before && ready === 'True',
      90_000,
    );
    expect(await logOf('store', 'store-0', /\n/)).toBe('store-0 started\nstore-0 started\n');
    await uninstall('store');
    await until(
      'the claims go with their set',
      () => output('-n', namespaceOf('store'), 'get', 'pvc', '-o', 'name'),
      (left) => left === '',
    );
    expect(onShare('store-0', 'journal')).toBe('store-0 started\nstore-0 started\n');
    expect(onShare('store-1', 'journal')).toBe('store-1 started\n');
  });

  it('a CronJob of backups: a Job made from it writes to a share, and is Complete', async () => {
    const namespace = namespaceOf('backup');
    const password = 'only for the backup';
    await install('backup', {
      wait: true,
      values: { 'account.name': account.name, 'account.key': account.key, password },
    });
    await output('-n', namespace, 'create', 'job', 'now', '--from=cronjob/backup');
    await until(
      'the Job is Complete',
      () => output('-n', namespace, 'get', 'job', 'now', '-o', 'jsonpath={.status.conditions[*].type}'),
      (seen) => /Complete|Failed/.test(seen),
      90_000,
    );
    expect(await output('-n', namespace, 'get', 'job', 'now', '-o', 'jsonpath={.status.succeeded}')).toBe('1');
    expect(await ofPod('backup', await podOf('backup'), exitCodes)).toBe('backup=0 ');
    expect(await logOf('backup', 'job/now', /\n/)).toBe('backed up shop\n');
    expect(onShare('backups', 'shop.tar')).toContain('rows of shop');
    expect(onShare('backups', 'shop.proof')).toBe(sha256(password));
    await uninstall('backup');
  });

  it("a CI runner's pod: containers share a workspace, and the job's exit code is the pod's", async () => {
    const token = 'only for the job';
    await install('runner', { wait: false, values: { token, script: 'test -d out && exit 7' } });
    await until(
      'the pod has ended',
      () => ofPod('runner', 'runner', '{.status.phase}'),
      (phase) => phase === 'Failed' || phase === 'Succeeded',
      90_000,
    );
    expect(await ofPod('runner', 'runner', '{.status.phase}')).toBe('Failed');
    expect(await ofPod('runner', 'runner', exitCodes)).toBe('build=7 report=0 ');
    expect(await logOf('runner', 'runner', /\n/, 'build')).toBe(
      `in /workspace as 1000: source of the job\n${sha256(token)}`,
    );
    expect(await logOf('runner', 'runner', /\n/, 'report')).toBe('the job ended with 7\n');
    await uninstall('runner');
  });
});
