import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  createNamespace,
  field,
  groupOf,
  groups,
  kubectl,
  output,
  phase,
  pod,
  removeNamespace,
  runs,
  until,
} from './cloud.ts';

const namespace = 'b-lives';
const shell = (script: string): string[] => ['sh', '-c', script];
const scratch = { volumes: [{ name: 'scratch', emptyDir: {} }] };
const mounted = { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] };
const counted = 'n=$(cat /scratch/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > /scratch/n; echo run $n;';

const objects = [
  pod('on-failure', {
    namespace,
    restartPolicy: 'OnFailure',
    command: shell(`${counted} [ $n -gt 1 ]`),
    spec: scratch,
    container: mounted,
  }),
  pod('always', {
    namespace,
    restartPolicy: 'Always',
    command: shell(`${counted} [ $n -gt 1 ] && sleep 3600; exit 0`),
    spec: scratch,
    container: mounted,
  }),
  pod('two', {
    namespace,
    command: shell('exit 0'),
    spec: {
      containers: [
        { name: 'good', image: 'busybox:1.36', command: shell('exit 0') },
        { name: 'bad', image: 'busybox:1.36', command: shell('sleep 1; exit 4') },
      ],
    },
  }),
  pod('deadline', { namespace, spec: { activeDeadlineSeconds: 8 } }),
  pod('init-fails', {
    namespace,
    command: shell('echo never'),
    spec: { initContainers: [{ name: 'first', image: 'busybox:1.36', command: shell('exit 7') }] },
  }),
  pod('web', {
    namespace,
    image: 'nginx:1.14.2',
    command: ['nginx', '-g', 'daemon off;'],
    restartPolicy: 'Always',
    container: { ports: [{ containerPort: 80 }] },
  }),
];

describe('lives of pods, as an operator sees them', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(...objects);
  });

  afterAll(() => removeNamespace(namespace));

  const ends = (name: string, wanted: string, timeoutMs = 120_000) =>
    until(
      `${name} is ${wanted}`,
      () => phase(name, namespace),
      (seen) => seen === wanted,
      timeoutMs,
    );
  const get = (name: string, path: string): Promise<string> => field('pod', name, path, namespace);
  const runsOf = async (name: string) => {
    const uid = await get(name, '{.metadata.uid}');
    return (await runs()).filter((run) => run.uid === uid);
  };

  it('two containers under Never end with 0 and 4: Failed, each with its own code', async () => {
    await ends('two', 'Failed');
    const code = (name: string) =>
      get('two', `{.status.containerStatuses[?(@.name=="${name}")].state.terminated.exitCode}`);
    expect(await code('good')).toBe('0');
    expect(await code('bad')).toBe('4');
    expect(new Set((await runsOf('two')).map((run) => run.exitCode))).toEqual(new Set([0, 4]));
  });

  it('an init container that fails under Never: Failed, and the main container never ran', async () => {
    await ends('init-fails', 'Failed');
    expect(await get('init-fails', '{.status.initContainerStatuses[0].state.terminated.exitCode}')).toBe('7');
    expect(await get('init-fails', '{.status.containerStatuses[0].state.terminated}')).toBe('');
    expect((await runsOf('init-fails')).map((run) => run.container)).toEqual(['first']);
  });

  it('activeDeadlineSeconds ends a pod: Failed with DeadlineExceeded, and nothing runs on', async () => {
    await ends('deadline', 'Failed');
    expect(await get('deadline', '{.status.reason}')).toBe('DeadlineExceeded');
    await until(
      'its container ends',
      () => runsOf('deadline'),
      (seen) => seen.every((run) => run.exitCode !== undefined),
    );
  });

  it('OnFailure restarts after exit 1: Succeeded with restartCount 1', async () => {
    await ends('on-failure', 'Succeeded');
    expect(await get('on-failure', '{.status.containerStatuses[0].restartCount}')).toBe('1');
    expect(await get('on-failure', '{.status.containerStatuses[0].state.terminated.exitCode}')).toBe('0');
    expect((await runsOf('on-failure')).map((run) => run.exitCode)).toEqual([1, 0]);
  });

  it('Always restarts after exit 0, and the pod stays Running', async () => {
    await until(
      'restarted',
      () =>
        get(
          'always',
          '{.status.phase} {.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}',
        ),
      (seen) => seen === 'Running 1 true',
      150_000,
    );
    expect(await runsOf('always')).toHaveLength(2);
  });

  it('another pod reaches podIP, and describe shows state and events', async () => {
    await until(
      'web is Ready',
      () => get('web', '{.status.conditions[?(@.type=="Ready")].status}'),
      (ready) => ready === 'True',
      120_000,
    );
    const ip = await get('web', '{.status.podIP}');
    expect(ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(await get('web', '{.status.hostIP}')).toBe('127.0.0.1');
    await apply(pod('client', { namespace, command: ['wget', '-q', '-O', '-', `http://${ip}/`] }));
    await ends('client', 'Succeeded');
    expect(await output('logs', 'client', '-n', namespace)).toContain('Welcome to nginx');
    const described = await output('describe', 'pod', 'web', '-n', namespace);
    expect(described).toMatch(/Node:\s+aci-1\/127\.0\.0\.1/);
    expect(described).toMatch(/Status:\s+Running/);
    expect(described).toMatch(/State:\s+Running\n\s+Started:/);
    expect(described).toMatch(/Ready:\s+True\n\s+Restart Count:\s+0/);
    expect(described).toMatch(/Normal\s+Scheduled/);
    expect(described).toMatch(/Normal\s+Created\s.*Created container group b-lives-web-/);
    expect(described).not.toMatch(/Warning/);
  });

  it('all of them: one group each, of the right pod', async () => {
    expect((await groupOf('web', namespace))?.tags['kubernetes-pod']).toBe('web');
    const own = (await groups()).filter((group) => group.tags['kubernetes-namespace'] === namespace);
    const uids = own.map((group) => group.tags['kubernetes-pod-uid']);
    expect(new Set(uids).size).toBe(uids.length);
    const listed = await kubectl(['get', 'pods', '-n', namespace, '-o', 'name']);
    expect(own).toHaveLength(listed.stdout.trim().split('\n').length);
  });
});
