import { setTimeout as sleep } from 'node:timers/promises';
import { cordonAnnotation } from '../../../shared/core/node/node-drift.ts';
import { faultClause } from '../inspect/fault-reason.ts';
import { podsOnNode, readLease, readNode } from '../inspect/read-cluster.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { kubectlStop, kubectlText } from '../kube.ts';
import { lastLine } from '../program.ts';
import { Stop, failure } from '../stop.ts';
import { groupsOfCluster } from './plan.ts';

export interface DrainWants {
  readonly installation: string;
  readonly uid: string;
  readonly nodes: readonly string[];
  /** When to give up, as of `performance.now()`. */
  readonly giveUpAt: number;
}

/** Longer than kubectl takes to say that its own time is up. */
const kubectlGraceMs = 30_000;

/**
 * Evicts the pods of the nodes as `kubectl drain` does, of all at once: it cordons every node first, so that what leaves
 * one does not start on the next, and honours PodDisruptionBudgets; a DaemonSet's pods stay and go with the Node. A node
 * that is not there (any more) is drained. A Node of the same name that is not ours is left alone and stops the command
 * before anything is evicted.
 */
export async function drainNodes(
  context: CliContext,
  wants: DrainWants,
  report: (detail: string) => void,
): Promise<void> {
  const left = new Set<string>();
  const open = new Set<string>();
  for (const name of wants.nodes) {
    const node = await readNode(context, name);
    if (node === undefined) continue;
    if (node.owner !== wants.installation)
      throw failure(
        `the Node ${name} is not one of this installation`,
        'it is left alone; take the name out of the registration by hand, or detach the other nodes with --nodes',
      );
    left.add(name);
    if (!node.unschedulable) open.add(name);
  }
  if (left.size === 0) return;
  // As the app does it, which takes it back when the node is attached again before it is gone; an operator's cordon stays.
  const cordon = { metadata: { annotations: { [cordonAnnotation]: 'draining' } }, spec: { unschedulable: true } };
  for (const name of open) await kubectlText(context, ['patch', 'node', name, '--patch', JSON.stringify(cordon)]);
  report(`of ${[...left].join(', ')}`);
  const drained = await Promise.allSettled(
    [...left].map(async (name) => {
      await drainNode(context, name, wants.giveUpAt);
      left.delete(name);
      report(left.size === 0 ? 'gone' : `of ${[...left].join(', ')}`);
    }),
  );
  for (const one of drained) if (one.status === 'rejected') throw one.reason;
}

async function drainNode(context: CliContext, name: string, giveUpAt: number): Promise<void> {
  const timeoutMs = Math.max(1000, giveUpAt - performance.now());
  const args = ['drain', name, '--ignore-daemonsets', '--delete-emptydir-data', '--force'];
  const result = await context.kubectl([...args, `--timeout=${Math.ceil(timeoutMs / 1000)}s`], {
    timeoutMs: timeoutMs + kubectlGraceMs,
  });
  if (result.code === 0) return;
  if (/global timeout reached|timed out|disruption budget/i.test(result.stderr))
    throw new Stop(
      exitCodes.timedOut,
      `the node ${name} still has pods: ${lastLine(result)}`,
      `kubectl get pods -A --field-selector spec.nodeName=${name} shows them; then the same command again, with a longer --timeout`,
    );
  throw kubectlStop(args, result);
}

const pollMs = 2000;
/** Longer than any work on a pod lasts: when its row is still there after this, nothing of it is under way. */
const rowPatienceMs = 120_000;

/**
 * Waits until the app has ended the groups of removed nodes, and taken their Leases and Nodes out of the cluster; until
 * the control plane has removed what DaemonSets had there; and until the app has put its notes on each pod away, since
 * a group that is just being made is seen nowhere else.
 */
export async function waitUntilRemoved(
  context: CliContext,
  wants: DrainWants,
  report: (detail: string) => void,
): Promise<void> {
  const groups = await context.groups();
  let emptySince: number | undefined;
  for (;;) {
    const left = await leftInCluster(context, wants.nodes);
    const rows = await podRows(context, wants);
    const listed = await groups.list(context.signal);
    if (listed.ok) {
      const count = groupsOfCluster(listed.value, wants).length;
      if (count > 0) left.push(`${count} container groups`);
    }
    const isEmpty = left.length === 0 && listed.ok;
    emptySince = isEmpty ? (emptySince ?? performance.now()) : undefined;
    if (emptySince !== undefined && (rows === 0 || performance.now() - emptySince > rowPatienceMs)) {
      report('gone');
      return;
    }
    if (rows > 0) left.push(`the app's notes on pods (${rows})`);
    report(left.length === 0 ? 'container groups could not be listed' : `left: ${left.join(', ')}`);
    if (performance.now() > wants.giveUpAt)
      throw new Stop(
        exitCodes.timedOut,
        listed.ok ? `time is up, and there are left: ${left.join(', ')}` : 'time is up, and ARM could not be asked',
        listed.ok
          ? 'the app removes them: its log, or the command doctor, says why it does not; then the same command again'
          : 'you need to read container groups in the resource group of the pods; log in with az login',
      );
    await sleep(pollMs, undefined, { signal: context.signal });
  }
}

async function leftInCluster(context: CliContext, nodes: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const name of nodes) {
    if ((await readNode(context, name)) !== undefined) left.push(`node ${name}`);
    if ((await readLease(context, name)) !== undefined) left.push(`lease ${name}`);
    const pods = await podsOnNode(context, name);
    if (pods.length > 0) left.push(`pods on ${name} (${pods.length})`);
  }
  return left;
}

/** How many pods of the nodes the app has rows of. */
async function podRows(context: CliContext, { uid, nodes }: DrainWants): Promise<number> {
  const store = await context.store();
  let count = 0;
  for (const node of nodes) {
    const rows = await store.listPods({ cluster: uid, node });
    if (!rows.ok)
      throw failure(
        `Table storage: ${faultClause(rows.fault)}`,
        "you need the role Storage Table Data Contributor on the app's storage account; then run the same command again",
      );
    count += rows.value.length;
  }
  return count;
}
