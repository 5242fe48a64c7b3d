import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  createNamespace,
  field,
  groups,
  kubectl,
  output,
  phase,
  pod,
  podNames,
  podSpec,
  removeNamespace,
  runs,
  until,
} from './cloud.ts';

const namespace = 'b-delete';
/** Ends at SIGTERM with a code of its own, as a server does. */
const polite = ['sh', '-c', "trap 'echo bye; exit 9' TERM; while true; do sleep 1; done"];
const job = (name: string): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace },
  spec: {
    parallelism: 2,
    completions: 2,
    template: { metadata: { labels: { app: name } }, spec: podSpec({ restartPolicy: 'Never' }) },
  },
});
const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: podSpec({ restartPolicy: 'Always', command: polite }),
    },
  },
};

const groupsOf = async (uids: readonly string[]): Promise<number> =>
  (await groups()).filter((group) => uids.includes(group.tags['kubernetes-pod-uid'] ?? '')).length;
const gone = (uids: readonly string[], timeoutMs = 30_000) =>
  until(
    'their container groups are gone',
    () => groupsOf(uids),
    (count) => count === 0,
    timeoutMs,
  );
/** Of its programs, and not of the agent's own container, which a script that handles SIGTERM has before it. */
const runsOf = async (uid: string) => (await runs()).filter((run) => run.uid === uid && run.container === 'main');
const uidsOf = async (selector: string): Promise<string[]> => {
  const uids = await output('get', 'pods', '-n', namespace, '-l', selector, '-o', 'jsonpath={.items[*].metadata.uid}');
  return uids.split(' ').filter((uid) => uid !== '');
};
const running = (name: string) =>
  until(
    `${name} is Running`,
    () => phase(name, namespace),
    (seen) => seen === 'Running',
    120_000,
  );
const runningCount = async (selector: string): Promise<number> =>
  (await output('get', 'pods', '-n', namespace, '-l', selector, '-o', 'jsonpath={.items[*].status.phase}')).split(
    'Running',
  ).length - 1;

describe('what ends pods', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(
      pod('graceful', { namespace, command: polite, spec: { terminationGracePeriodSeconds: 10 } }),
      pod('forced', { namespace }),
      job('foreground'),
      job('background'),
      web,
    );
  });

  afterAll(() => removeNamespace(namespace));

  it('delete pod: terminal status before it goes, then group and pod are gone, within the grace and some seconds', async () => {
    await running('graceful');
    const uid = await field('pod', 'graceful', '{.metadata.uid}', namespace);
    // With a finalizer the object stays, so that what is in it can be read after the end.
    await output('patch', 'pod', 'graceful', '-n', namespace, '--type=merge', '-p', finalizers(['example.com/read']));
    await output('delete', 'pod', 'graceful', '-n', namespace, '--wait=false');
    await gone([uid]);
    const [run] = await runsOf(uid);
    expect(run?.exitCode).toBe(9);
    expect(await phase('graceful', namespace)).toMatch(/^(Failed|Succeeded)$/);
    // Without the agent `stop` erases what ACI knew of the end: then the code is the one for an unknown end, and says so.
    const end =
      '{.status.containerStatuses[0].state.terminated.exitCode} {.status.containerStatuses[0].state.terminated.reason}';
    expect(['9 Error', '137 ContainerStatusUnknown']).toContain(await field('pod', 'graceful', end, namespace));
    await output('patch', 'pod', 'graceful', '-n', namespace, '--type=merge', '-p', finalizers([]));
    await until(
      'the pod is gone',
      () => field('pod', 'graceful', '{.metadata.name}', namespace),
      (name) => name === '',
      20_000,
    );
    expect(await runsOf(uid)).toHaveLength(1);
  });

  it('delete pod --force --grace-period=0: the object goes at once, and its group too', async () => {
    await running('forced');
    const uid = await field('pod', 'forced', '{.metadata.uid}', namespace);
    await output('delete', 'pod', 'forced', '-n', namespace, '--force', '--grace-period=0');
    expect(await field('pod', 'forced', '{.metadata.name}', namespace)).toBe('');
    await gone([uid]);
    const ended = await until(
      'its container ends',
      () => runsOf(uid),
      ([run]) => run?.exitCode !== undefined,
    );
    expect(ended).toHaveLength(1);
  });

  it.each(['foreground', 'background'])('delete job --cascade=%s: pods and groups go', async (cascade) => {
    await until(
      'the job runs',
      () => runningCount(`app=${cascade}`),
      (count) => count === 2,
      120_000,
    );
    const uids = await uidsOf(`app=${cascade}`);
    await output('delete', 'job', cascade, '-n', namespace, `--cascade=${cascade}`, '--timeout=60s');
    expect(await field('job', cascade, '{.metadata.name}', namespace)).toBe('');
    await until(
      'the pods are gone',
      () => podNames(`app=${cascade}`, namespace),
      (names) => names.length === 0,
    );
    await gone(uids);
  });

  it('rollout restart: new pods, available all the while in the end, and the old groups are gone', async () => {
    await until(
      'the Deployment is available',
      () => field('deployment', 'web', '{.status.availableReplicas}', namespace),
      (count) => count === '2',
      120_000,
    );
    const before = await uidsOf('app=web');
    await output('rollout', 'restart', 'deployment/web', '-n', namespace);
    const rolled = await kubectl(['rollout', 'status', 'deployment/web', '-n', namespace, '--timeout=120s'], {
      timeoutMs: 130_000,
    });
    expect(rolled.stdout).toContain('successfully rolled out');
    await gone(before, 60_000);
    const after = await until(
      'only the new pods are left',
      () => uidsOf('app=web'),
      (uids) => uids.length === 2,
    );
    expect(after.filter((uid) => before.includes(uid))).toEqual([]);
    expect(await groupsOf(after)).toBe(2);
    for (const uid of after) expect(await runsOf(uid)).toHaveLength(1);
  });

  it('delete while the group is still being made leaves nothing', async () => {
    await apply(pod('hasty', { namespace }));
    const uid = await field('pod', 'hasty', '{.metadata.uid}', namespace);
    await until(
      'the PUT was accepted',
      () => groupsOf([uid]),
      (count) => count === 1,
    );
    await output('delete', 'pod', 'hasty', '-n', namespace, '--timeout=60s');
    await gone([uid], 60_000);
    expect((await runsOf(uid)).filter((run) => run.exitCode === undefined)).toEqual([]);
  });
});

const finalizers = (names: readonly string[]): string => JSON.stringify({ metadata: { finalizers: names } });
