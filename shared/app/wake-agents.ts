import pLimit from 'p-limit';
import { describeFault } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import type { WordAnswer } from '../core/agent/words.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import { within } from './deps.ts';
import type { Deps, NodeDeps } from './deps.ts';

/** An agent whose volumes have changed. */
export interface AgentToWake {
  readonly group: string;
  readonly container: string;
  /** The same text for the same changes. */
  readonly why: string;
}

/** What was said of one change. */
interface Woken {
  readonly why: string;
  readonly times: number;
  /** Not again before, monotonic ms. */
  readonly againAtMs: number;
}

const wordsAtOnce = 5;
/** Of one node and run: a change that concerns a thousand pods is spread over some minutes, and leaves others their streams. */
const mostWords = 60;
const wordMs = 10_000;
/** So often a word that may not have arrived is said again without a pause. */
const mostAtOnce = 2;
const firstPauseMs = 100_000;
const longestPauseMs = 32 * 60_000;

/** What this process has said, by node, group and container. It only spares words. */
const known = new WeakMap<Deps['store'], Map<string, Map<string, Woken>>>();

/**
 * Has agents fetch their volumes. Who was woken for the same change and has not asked since is woken again after two
 * minutes, then after twice as long each time, up to half an hour; where nobody knows whether the word arrived, with the next
 * run, twice. An empty budget ends the run: the rest is the next run's.
 */
export async function wakeAgents(
  deps: Deps,
  node: NodeDeps,
  agents: readonly AgentToWake[],
  signal: AbortSignal,
): Promise<void> {
  const byNode = known.get(deps.store) ?? new Map<string, Map<string, Woken>>();
  known.set(deps.store, byNode);
  const nodeKey = nodeKeyText(node.key);
  const before = byNode.get(nodeKey) ?? new Map<string, Woken>();
  // Who is no longer due has asked.
  const woken = new Map(
    agents.flatMap((agent) => {
      const known = before.get(keyOf(agent));
      return known?.why === agent.why ? [[keyOf(agent), known] as const] : [];
    }),
  );
  byNode.set(nodeKey, woken);
  const now = deps.clock.monotonicMs();
  const waiting = agents.filter((agent) => isTime(woken.get(keyOf(agent)), now)).slice(0, mostWords);
  const limit = pLimit(wordsAtOnce);
  let isOver = false;
  await Promise.all(
    waiting.map((agent) =>
      limit(async () => {
        if (isOver || signal.aborted) return;
        const { group, container } = agent;
        const answer = await deps.agentWords.refresh({ group, container }, within(deps, signal, wordMs));
        if (!answer.ok && answer.fault.kind === 'throttled') {
          isOver = true;
          return;
        }
        const isHeard = answer.ok || answer.fault.kind !== 'transient';
        woken.set(keyOf(agent), wokenNow(woken.get(keyOf(agent)), agent, { now, isHeard }));
        const why = refusalOf(answer);
        if (why !== undefined)
          deps.log.warn('agent could not be woken for its changed files', {
            node: nodeKey,
            group,
            why,
          });
      }),
    ),
  );
}

const keyOf = ({ group, container }: AgentToWake): string => `${group}/${container}`;

const isTime = (woken: Woken | undefined, now: number): boolean => woken === undefined || now >= woken.againAtMs;

function wokenNow(
  before: Woken | undefined,
  { why }: AgentToWake,
  { now, isHeard }: { readonly now: number; readonly isHeard: boolean },
): Woken {
  const times = (before?.times ?? 0) + 1;
  if (!isHeard && times <= mostAtOnce) return { why, times, againAtMs: now };
  return { why, times, againAtMs: now + Math.min(firstPauseMs * 2 ** (times - 1), longestPauseMs) };
}

/** Undefined: it has heard. */
function refusalOf(answer: Result<WordAnswer>): string | undefined {
  if (!answer.ok) return describeFault(answer.fault);
  return answer.value.ok ? undefined : answer.value.message;
}
