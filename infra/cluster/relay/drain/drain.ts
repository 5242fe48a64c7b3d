import { describeFault } from '../../../../shared/core/fault.ts';
import type { Fault, Result } from '../../../../shared/core/fault.ts';
import type { Clock } from '../../../../shared/ports/clock.ts';
import type { DrainApi } from './drain-api.ts';
import { NodeDrain } from './node-drain.ts';
import type { NodeDrainState } from './node-drain.ts';

export interface DrainOptions {
  readonly api: DrainApi;
  readonly nodes: readonly string[];
  /** Whose nodes these are; undefined: those of any installation are taken. */
  readonly installation: string | undefined;
  /** The app's right to be its nodes; without it the app can't make a Node anew. Undefined: there is none to take. */
  readonly appRoleBinding: string | undefined;
  readonly timeoutMs: number;
  readonly say: (line: string) => void;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
}

export type DrainOutcome =
  | { readonly kind: 'drained' }
  /** Pods that are still there, and then no Node was deleted; or Nodes that were made anew. It can be begun again. */
  | { readonly kind: 'timed out'; readonly remaining: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string };

const pollMs = 2000;
/** Rights that were just given are in force a moment later; after that, a refusal is final. */
const deniedForMs = 15_000;
/** A right that was just taken is in force a moment later: so long a Node may still be made anew. */
const watchForMs = 3000;

/**
 * Takes nodes out of a cluster: keeps new pods away, evicts what is there (deletes it after half of the time), waits until
 * the app has ended it all, takes the app's right away, deletes Nodes and Leases. Each step may be done again.
 */
export async function drain(options: DrainOptions): Promise<DrainOutcome> {
  const startedAt = options.clock.monotonicMs();
  const elapsed = (): number => options.clock.monotonicMs() - startedAt;
  const emptied = await emptyNodes(options, elapsed);
  if (emptied.kind !== 'empty') return emptied;
  const { appRoleBinding, api } = options;
  if (appRoleBinding !== undefined) {
    const taken = await insist(options, elapsed, () => api.deleteClusterRoleBinding(appRoleBinding));
    if (!taken.ok) return refused(`ClusterRoleBinding ${appRoleBinding}`, taken.fault);
    options.say(`ClusterRoleBinding ${appRoleBinding}: removed`);
  }
  return removeNodes(options, emptied.nodes, elapsed);
}

type Emptied =
  | { readonly kind: 'empty'; readonly nodes: readonly string[] }
  | Exclude<DrainOutcome, { kind: 'drained' }>;

async function emptyNodes(options: DrainOptions, elapsed: () => number): Promise<Emptied> {
  const say = sayOnce(options.say);
  const drains = options.nodes.map((node) => new NodeDrain({ ...options, node, say }));
  for (;;) {
    const states: { readonly node: string; readonly state: NodeDrainState }[] = [];
    for (const one of drains) states.push({ node: one.node, state: await one.round(elapsed()) });
    const busy = states.flatMap(({ node, state }) => (state.kind === 'busy' ? [{ node, state }] : []));
    if (busy.length === 0)
      return { kind: 'empty', nodes: states.filter(({ state }) => state.kind === 'empty').map(({ node }) => node) };
    const denied = busy.find(({ state }) => state.fault?.kind === 'denied');
    if (denied?.state.fault !== undefined && elapsed() > deniedForMs) return refused(denied.node, denied.state.fault);
    if (elapsed() >= options.timeoutMs)
      return {
        kind: 'timed out',
        remaining: busy.flatMap(({ node, state }) => (state.remaining.length === 0 ? [node] : state.remaining)),
      };
    await options.clock.sleep(Math.min(pollMs, options.timeoutMs - elapsed()));
  }
}

async function removeNodes(
  options: DrainOptions,
  nodes: readonly string[],
  elapsed: () => number,
): Promise<DrainOutcome> {
  const { api, clock } = options;
  const emptyAt = clock.monotonicMs();
  for (;;) {
    for (const node of nodes) {
      const deleted = await insist(options, elapsed, () => api.deleteNode(node));
      if (!deleted.ok) return refused(`Node ${node}`, deleted.fault);
      const stopped = await insist(options, elapsed, () => api.deleteLease(node));
      if (!stopped.ok) return refused(`Lease ${node}`, stopped.fault);
    }
    await clock.sleep(Math.min(pollMs, watchForMs));
    const back: string[] = [];
    for (const node of nodes) if ((await api.getNode(node)).ok) back.push(node);
    if (back.length === 0 && clock.monotonicMs() - emptyAt >= watchForMs) break;
    if (back.length > 0 && elapsed() >= options.timeoutMs) return { kind: 'timed out', remaining: back };
  }
  for (const node of nodes) options.say(`${node}: Node and Lease removed`);
  return { kind: 'drained' };
}

/** Tries again what may pass, until the time is over. */
async function insist(
  { clock, timeoutMs }: DrainOptions,
  elapsed: () => number,
  act: () => Promise<Result<void>>,
): Promise<Result<void>> {
  const beganAt = elapsed();
  for (;;) {
    const done = await act();
    if (done.ok || !mayPass(done.fault, elapsed() - beganAt) || elapsed() >= timeoutMs) return done;
    await clock.sleep(pollMs);
  }
}

const mayPass = (fault: Fault, forMs: number): boolean =>
  fault.kind === 'transient' || fault.kind === 'throttled' || (fault.kind === 'denied' && forMs < deniedForMs);

const refused = (what: string, fault: Fault): { readonly kind: 'failed'; readonly message: string } => ({
  kind: 'failed',
  message: `${what}: ${describeFault(fault)}`,
});

/** Progress, not noise. */
function sayOnce(say: (line: string) => void): (line: string) => void {
  const said = new Set<string>();
  return (line) => {
    if (said.has(line)) return;
    said.add(line);
    say(line);
  };
}
