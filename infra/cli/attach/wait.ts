import { setTimeout as sleep } from 'node:timers/promises';
import { readLease, readNode } from '../inspect/read-cluster.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { getObject } from '../cluster/objects.ts';
import { parseDeployment } from '../inspect/relay-objects.ts';
import { Stop } from '../stop.ts';
import type { WaitFor } from './wants.ts';

export interface WaitWants {
  readonly nodes: readonly string[];
  readonly namespace: string;
  readonly wait: WaitFor;
  readonly timeoutMs: number;
}

/** How far one node is. A Lease that is not renewed is one that nobody renews, whatever the Node's condition still says. */
export type NodeProgress = 'absent' | 'not-ready' | 'lease-still' | 'ready';

const pollMs = 2000;

/** Waits until every node is Ready and its Lease is seen to move, and a relay runs. Exit code 4 with a hint when time is up. */
export async function waitUntilReady(
  context: CliContext,
  wants: WaitWants,
  report: (detail: string) => void,
): Promise<void> {
  const giveUpAt = performance.now() + wants.timeoutMs;
  const firstSeen = new Map<string, number>();
  for (;;) {
    const nodes = await Promise.all(
      wants.nodes.map(async (name) => ({ name, progress: await nodeProgress(context, name, firstSeen) })),
    );
    const isRelayReady = wants.wait !== 'all' || (await relayReplicas(context, wants.namespace)) > 0;
    const waiting = nodes.filter(({ progress }) => progress !== 'ready');
    report(describeProgress(nodes, isRelayReady));
    if (waiting.length === 0 && isRelayReady) return;
    if (performance.now() > giveUpAt) throw timedOut(waiting, isRelayReady, wants.namespace);
    await sleep(pollMs, undefined, { signal: context.signal });
  }
}

async function nodeProgress(context: CliContext, name: string, firstSeen: Map<string, number>): Promise<NodeProgress> {
  const node = await readNode(context, name);
  if (node === undefined) return 'absent';
  if (!node.ready) return 'not-ready';
  const renewedAt = await readLease(context, name);
  if (renewedAt === undefined) return 'lease-still';
  const before = firstSeen.get(name);
  if (before === undefined) firstSeen.set(name, renewedAt);
  return before === undefined || before === renewedAt ? 'lease-still' : 'ready';
}

const words: Readonly<Record<NodeProgress, string>> = {
  absent: 'not created yet',
  'not-ready': 'not Ready',
  'lease-still': 'Ready, waiting for a heartbeat',
  ready: 'Ready',
};

/** `aci-1 Ready, aci-2 not created yet; relay not running`. */
export function describeProgress(
  nodes: readonly { readonly name: string; readonly progress: NodeProgress }[],
  isRelayReady: boolean,
): string {
  const list = nodes.map(({ name, progress }) => `${name} ${words[progress]}`).join(', ');
  return isRelayReady ? list : `${list}; relay not running yet`;
}

async function relayReplicas(context: CliContext, namespace: string): Promise<number> {
  const answer = await getObject(context, `/apis/apps/v1/namespaces/${namespace}/deployments/relay`);
  return parseDeployment(answer)?.available ?? 0;
}

const hints: Readonly<Record<Exclude<NodeProgress, 'ready'>, string>> = {
  absent:
    'the app makes it within two minutes of its registration: the command doctor, or the log of the app, says why it does not',
  'not-ready': 'the app does not renew it: the command doctor, or the log of the app, says why',
  'lease-still': 'nobody renews its Lease: the command doctor, or the log of the app, says why',
};

function timedOut(
  waiting: readonly { readonly name: string; readonly progress: NodeProgress }[],
  isRelayReady: boolean,
  namespace: string,
): Stop {
  const [first] = waiting;
  const fix =
    first === undefined || first.progress === 'ready'
      ? `kubectl get pods -n ${namespace} and kubectl describe pods -n ${namespace} show why the relay does not run; then the same command again`
      : `${hints[first.progress]}; then the same command again`;
  return new Stop(
    exitCodes.timedOut,
    `time is up: ${describeProgress(waiting, isRelayReady)}`.replace(/: ;/, ':'),
    fix,
  );
}
