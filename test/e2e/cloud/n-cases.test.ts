/** What kinds of pods that people have had trouble with elsewhere do here, as on a kubelet: images, probes, messages, parts of volumes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from './app-settings.ts';
import { caseObjects, neverPulled } from './case-shapes.ts';
import {
  apply,
  createNamespace,
  eventsOf,
  field,
  groupOf,
  isOver,
  kubectl,
  output,
  phase,
  podNames,
  removeNamespace,
  until,
} from './cloud.ts';

const namespace = 'n-cases';
const published = settings()['AGENT_IMAGE'];

const of = (name: string, path: string): Promise<string> => field('pod', name, path, namespace);
const status = (name: string, path: string): Promise<string> => of(name, `{.status.containerStatuses[0].${path}}`);
/** `phase code message` of a pod with one container, when it has ended. */
async function ended(name: string): Promise<string> {
  await until(`${name} ends`, () => phase(name, namespace), isOver, 180_000);
  const end = '.status.containerStatuses[0].state.terminated';
  return of(name, `{.status.phase} {${end}.exitCode} {${end}.message}`);
}
const log = (name: string): Promise<string> => output('logs', '-n', namespace, name);
const becomes = (what: string, name: string, path: string, wanted: string): Promise<string> =>
  until(
    `${name} ${what}`,
    () => status(name, path),
    (seen) => seen === wanted,
    180_000,
  );

describe.runIf(published !== undefined)('pods of kinds that are easily got wrong', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(...caseObjects(namespace));
  });
  afterAll(() => removeNamespace(namespace));

  it.each([
    ['image-tag', 'registry.local/busybox:none'],
    ['image-host', 'no-such-registry.invalid/x:1'],
  ])('%s: the status names the image, first as ErrImagePull, then as ImagePullBackOff', async (name, image) => {
    const message = await until(
      `${name} backs off`,
      () => status(name, 'state.waiting.message'),
      (seen) => seen.startsWith('Back-off '),
      180_000,
    );
    expect(message).toMatch(`Back-off pulling image "${image}": ErrImagePull: failed to pull image "${image}": `);
    expect([await phase(name, namespace), await status(name, 'state.waiting.reason')]).toEqual([
      'Pending',
      'ImagePullBackOff',
    ]);
    expect(await eventsOf(name, namespace)).toContain(`Failed: Failed to pull image "${image}": `);
  });

  it('an image that is changed is pulled, and its pod runs as if nothing had been', async () => {
    await until(
      'image-fixed waits',
      () => status('image-fixed', 'state.waiting.reason'),
      (seen) => /^(ErrImagePull|ImagePullBackOff)$/.test(seen),
      180_000,
    );
    await output('set', 'image', 'pod/image-fixed', '-n', namespace, 'main=busybox:1.36');
    expect(await ended('image-fixed')).toBe('Succeeded 0 ');
    expect([await log('image-fixed'), await status('image-fixed', 'restartCount')]).toEqual(['pulled at last\n', '0']);
  });

  it.each(neverPulled)('%s waits as %s, and ARM is asked for nothing', async (name, reason, message) => {
    await becomes(`is ${reason}`, name, 'state.waiting.reason', reason);
    expect(await status(name, 'state.waiting.message')).toContain(message);
    expect([await phase(name, namespace), await groupOf(name, namespace)]).toEqual(['Pending', undefined]);
  });

  it.each([
    ['message-file', 'Failed 2 of the file'],
    ['message-folder', 'Failed 4 in a folder\n'],
    ['message-user', 'Succeeded 0 by another user\n'],
    ['message-none', 'Succeeded 0 '],
  ])('%s: the termination message is the file’s, and the log’s only of a failure without one', async (name, end) => {
    expect(await ended(name)).toBe(end);
  });

  it('a termination message is the end of what is longer', async () => {
    const { length } = /^Succeeded 0 (?<message>.*)$/su.exec(await ended('message-long'))?.groups?.['message'] ?? '';
    expect(length).toBe(4096);
    expect(await ended('message-log')).toMatch(/^Failed 1 .*\nline 200\n$/su);
  });

  it('parts of volumes: by the pod’s name, one file of a Secret, for another user', async () => {
    expect([await ended('part-by-name'), await log('part-by-name')]).toEqual(['Succeeded 0 ', 'part-by-name\nhere\n']);
    expect([await ended('part-of-secret'), await log('part-of-secret')]).toEqual([
      'Succeeded 0 ',
      'planted-part\npasswd\nkey\n',
    ]);
    expect([await ended('part-of-user'), await log('part-of-user')]).toEqual([
      'Succeeded 0 ',
      'uid=1000 gid=3000 groups=2000,3000,4000\n1000 2000\n',
    ]);
  });

  it('aliases: several names of an address, more addresses, and IPv6', async () => {
    expect(await ended('aliases')).toBe('Succeeded 0 ');
    expect((await log('aliases')).split('\n').map((line) => line.split(/\s+/))).toEqual([
      ['10.9.8.7', 'one.many', 'two.many', 'three.many'],
      ['fd00::1', 'six.many'],
      ['10.9.8.6', 'again.many'],
      [''],
    ]);
  });

  it('a slow start: the liveness probe waits for the startup probe', async () => {
    await becomes('is ready', 'start-slow', 'ready', 'true');
    expect([await status('start-slow', 'started'), await status('start-slow', 'restartCount')]).toEqual(['true', '0']);
    expect(await eventsOf('start-slow', namespace)).toContain('Unhealthy: Startup probe failed: cat: ');
  });

  it('a start that never succeeds is tried again, and no container counts as started', async () => {
    await until(
      'start-never was restarted',
      () => status('start-never', 'restartCount'),
      (seen) => Number(seen) > 0,
      180_000,
    );
    expect([await status('start-never', 'started'), await status('start-never', 'ready')]).toEqual(['false', 'false']);
    expect(await eventsOf('start-never', namespace)).toContain(
      'Killing: Container main failed startup probe, will be restarted',
    );
  });

  it('a readiness that ends takes the pod out of its Service, and restarts nothing', async () => {
    const endpoint = (): Promise<string> =>
      output(
        'get',
        'endpointslices',
        '-n',
        namespace,
        '-l',
        'kubernetes.io/service-name=ready-ends',
        '-o',
        'jsonpath={.items[*].endpoints[*].conditions.ready}',
      );
    await until('it is reached', endpoint, (seen) => seen === 'true', 180_000);
    await kubectl(['exec', '-n', namespace, 'ready-ends', '--', 'rm', '/tmp/ready']);
    await until('it is reached no longer', endpoint, (seen) => seen === 'false', 120_000);
    expect([await phase('ready-ends', namespace), await status('ready-ends', 'restartCount')]).toEqual([
      'Running',
      '0',
    ]);
  });

  it('a liveness probe that hangs is one that fails', async () => {
    await until(
      'live-hangs was restarted',
      () => status('live-hangs', 'restartCount'),
      (seen) => Number(seen) > 0,
      180_000,
    );
    expect(await eventsOf('live-hangs', namespace)).toMatch(/^Unhealthy: Liveness probe failed: .*timed out/m);
  });

  it('the downward API: resources and address, and an annotation as it becomes', async () => {
    const read = async (path: string): Promise<string> =>
      (await kubectl(['exec', '-n', namespace, 'downward', '--', 'cat', path])).stdout;
    await becomes('runs', 'downward', 'started', 'true');
    const ip = await of('downward', '{.status.podIP}');
    expect([await log('downward'), await read('/pod/cpu'), await read('/pod/memory')]).toEqual([
      `1 64 ${ip}\n`,
      '250',
      '134217728',
    ]);
    await output('annotate', 'pod', 'downward', '-n', namespace, 'case/note=after', '--overwrite');
    await until(
      'the annotation',
      () => read('/pod/note'),
      (seen) => seen === 'after',
      240_000,
    );
  });

  it('an ephemeral container is said not to start, at once, and the pod runs on', async () => {
    await becomes('runs', 'ready-ends', 'started', 'true');
    const args = ['debug', 'ready-ends', '-n', namespace, '--image=busybox:1.36', '--attach=false', '-c', 'debugger'];
    await output(...args, '--', 'true');
    const seen = '{.status.ephemeralContainerStatuses[0].state.terminated.reason}';
    await until(
      'its status',
      () => of('ready-ends', seen),
      (reason) => reason === 'StartError',
      120_000,
    );
    const { code, stderr } = await kubectl(['logs', '-n', namespace, 'ready-ends', '-c', 'debugger']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('can not add a container to a group')]);
    expect([await phase('ready-ends', namespace), await status('ready-ends', 'restartCount')]).toEqual([
      'Running',
      '0',
    ]);
  });

  it('a Job past its deadline fails by it with tries left; its pods and their logs stay', async () => {
    const condition = '{.status.conditions[?(@.type=="Failed")].reason}';
    await until(
      'the Job fails',
      () => field('job', 'tries', condition, namespace),
      (reason) => reason === 'DeadlineExceeded',
      180_000,
    );
    const names = await podNames('job-name=tries', namespace);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect([await ended(name), await log(name)]).toEqual(['Failed 3 ', 'a try\n']);
  });
});
