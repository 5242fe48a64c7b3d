/** The oracles of docs/architecture.md: what must be true of one pod's life, seen from outside, whatever broke meanwhile. */
import { CoordinationV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import type { V1Pod } from '@kubernetes/client-node';
import { PodRecorder, statusesOf } from '../pod-recorder.ts';
import type { PodHistory } from '../pod-recorder.ts';
import { groups, journal, record, runs } from './cloud.ts';

const kubeConfig = new KubeConfig();
kubeConfig.loadFromFile(record.kubeconfig);
/** The administrator's clients: no process start for each question, as with kubectl. */
export const core = kubeConfig.makeApiClient(CoreV1Api);
export const coordination = kubeConfig.makeApiClient(CoordinationV1Api);

/** All pods of a namespace, from now on. */
export const recordPods = (namespace: string): PodRecorder => new PodRecorder({ kubeConfig, core }, namespace);

type Groups = Awaited<ReturnType<typeof groups>>;
type Runs = Awaited<ReturnType<typeof runs>>;

/** Every sentence is a broken oracle; none is what a test wants. For pods of restartPolicy Never, once all has settled. */
export async function violations(recorder: PodRecorder): Promise<string[]> {
  const [list, allGroups, allRuns, requests] = await Promise.all([
    core.listNamespacedPod({ namespace: recorder.namespace }),
    groups(),
    runs(),
    journal(),
  ]);
  const histories = [...recorder.histories.values()];
  return [
    ...groupPerPod(recorder.namespace, list.items, allGroups),
    ...ranOnce(histories, allRuns),
    ...list.items.flatMap((pod) => trueEnds(pod, allRuns)),
    ...histories.flatMap(phaseFaults),
    ...throttled(requests),
  ];
}

/** O1: one group for each pod that is there (a finished one keeps it for its logs), none besides. */
export function groupPerPod(namespace: string, pods: readonly V1Pod[], all: Groups): string[] {
  const own = all.filter((group) => group.tags['kubernetes-namespace'] === namespace);
  const uids = new Set(pods.map((pod) => pod.metadata?.uid));
  const leaked = own.filter((group) => !uids.has(group.tags['kubernetes-pod-uid']));
  const miscounted = pods
    .map((pod) => ({
      name: pod.metadata?.name,
      count: own.filter((group) => group.tags['kubernetes-pod-uid'] === pod.metadata?.uid).length,
    }))
    .filter(({ count }) => count !== 1);
  return [
    ...leaked.map((group) => `O1: group ${group.name} has no pod`),
    ...miscounted.map(({ name, count }) => `O1: pod ${name} has ${count} groups`),
  ];
}

/** O2: no container of one pod ran twice, and what has left Pending did run. */
function ranOnce(histories: readonly PodHistory[], all: Runs): string[] {
  return histories.flatMap((history) => {
    const own = all.filter((run) => run.uid === history.uid);
    const counts = Map.groupBy(own, (run) => run.container);
    const twice = [...counts].filter(([, runsOf]) => runsOf.length > 1);
    const started = history.phases.some((phase) => phase !== 'Pending');
    const missing = started
      ? statusesOf(history.pod).filter((status) => !counts.has(status.name) && status.state?.waiting === undefined)
      : [];
    return [
      ...twice.map(([name, runsOf]) => `O2: ${history.name}/${name} ran ${runsOf.length} times`),
      ...missing.map((status) => `O2: ${history.name}/${status.name} never ran, its status says otherwise`),
    ];
  });
}

/** O3: an exit code in the status is the one of the process. */
function trueEnds(pod: V1Pod, all: Runs): string[] {
  return statusesOf(pod).flatMap((status) => {
    const said = status.state?.terminated?.exitCode;
    const run = all.find((one) => one.uid === pod.metadata?.uid && one.container === status.name);
    return said === undefined || said === run?.exitCode
      ? []
      : [`O3: ${pod.metadata?.name}/${status.name}: status says ${said}, the process ${run?.exitCode}`];
  });
}

const rank: Readonly<Record<string, number>> = { Pending: 0, Running: 1, Succeeded: 2, Failed: 2 };

/** O4: phase never went back, and the last one is final. */
function phaseFaults({ name, phases }: PodHistory): string[] {
  const forward = phases.every((phase, at) => at === 0 || (rank[phase] ?? -1) > (rank[phases[at - 1] ?? ''] ?? 0));
  return forward ? [] : [`O4: ${name} went ${phases.join(' → ')}`];
}

/** O6: ARM never had to refuse us for its own limits. */
function throttled(requests: Awaited<ReturnType<typeof journal>>): string[] {
  const refused = requests.filter((request) => request.status === 429 && request['injected'] !== true);
  return refused.length === 0 ? [] : [`O6: ${refused.length} requests got 429, the first ${refused[0]?.path}`];
}
