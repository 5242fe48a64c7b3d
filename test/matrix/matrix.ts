import type { Moment } from '../../infra/local/sim/faults/vocabulary.ts';
import type { CallFault } from '../../infra/local/sim/processes/counted-process.ts';
import type { Faults } from './fault.ts';
import { createLife, podUidPrefix, Stuck } from './life.ts';
import type { Life } from './life.ts';
import type { Call } from '../../infra/local/sim/processes/counted-process.ts';
import { findLostEnds } from '../../infra/local/sim/oracles/lost-ends.ts';
import { findSecondRuns } from '../../infra/local/sim/oracles/second-runs.ts';
import { findOverspending } from '../../infra/local/sim/oracles/spending.ts';
import type { Violation } from '../../infra/local/sim/oracles/violation.ts';
import type { Variant } from './variants/hands.ts';
import { windowCalls } from '../../infra/local/sim/oracles/window.ts';
import { defined } from '../../shared/core/defined.ts';

export interface Outcome {
  readonly violations: readonly Violation[];
  /** The life fell into the window and is exempt from O2. */
  readonly isExempt: boolean;
  readonly faultsMet: number;
}

export interface Setting {
  readonly faults?: Faults;
  /** Two processes, their calls in an order drawn from it. */
  readonly seed?: number;
  readonly onCall?: (call: Call, life: Life) => void;
}

/** One life of the variant with these faults, and what the oracles say of it. */
export async function play(variant: Variant, setting: Setting = {}): Promise<Outcome> {
  const life = await createLife({
    ...defined({ world: variant.world, relay: variant.relay, budgets: variant.budgets, agents: variant.agents }),
    ...setting,
  });
  try {
    await variant.live(life);
  } catch (error) {
    if (!(error instanceof Stuck)) throw error;
  }
  const { witness, isInWindow: isExempt } = life;
  const { late, faultsMet } = life.processes;
  const { groups } = life.world;
  const isPair = setting.seed !== undefined;
  const stories = [...witness.stories.values()];
  findSecondRuns(stories, groups, witness.report);
  findLostEnds({ stories, groups, late }, witness.report);
  findOverspending({ requests: witness.arm.requests, budget: variant.arm, faultsMet, isPair }, witness.report);
  const violations = witness.violations.filter(({ oracle }) => !isExempt || oracle !== 'O2');
  return { violations, isExempt, faultsMet };
}

/** One outside call of a life without faults. */
export interface Point {
  readonly index: number;
  readonly name: string;
  /** The world was another after it. */
  readonly isChange: boolean;
  /** It was about a pod or a group: its arguments or its answer name one. */
  readonly isOfPod: boolean;
}

/** The calls of both processes in a life without faults, as they were made. */
export interface Enumeration {
  readonly a: readonly Point[];
  readonly b: readonly Point[];
}

export interface Order {
  /** With it two processes work. */
  readonly seed?: number;
  /** The first of them never begins. */
  readonly isAlone?: boolean;
}

const known = new Map<string, Promise<Enumeration>>();

/** Lives the variant once and notes every call; a life that fails without any fault is an error. */
export function enumerate(variant: Variant, order: Order = {}): Promise<Enumeration> {
  const key = `${variant.name} ${order.seed} ${order.isAlone}`;
  const found = known.get(key) ?? listCalls(variant, order);
  known.set(key, found);
  return found;
}

async function listCalls(variant: Variant, { seed, isAlone = false }: Order): Promise<Enumeration> {
  const points: { readonly a: Point[]; readonly b: Point[] } = { a: [], b: [] };
  let before = '';
  const outcome = await play(variant, {
    ...defined({ seed }),
    faults: { isAlone },
    onCall: ({ instance, index, name, args, answer }, life) => {
      const after = fingerprint(life);
      const isOfPod = JSON.stringify([args, answer]).includes(podUidPrefix);
      points[instance.name.startsWith('a') ? 'a' : 'b'].push({ index, name, isChange: after !== before, isOfPod });
      before = after;
    },
  });
  if (outcome.violations.length > 0) throw new Error(`${variant.name}: ${JSON.stringify(outcome.violations)}`);
  return points;
}

/** Changes with whatever is outside of the processes. */
function fingerprint({ world, key }: Life): string {
  const { cluster, groups, store } = world;
  const node = cluster.nodes.get(key.node);
  const lease = cluster.nodes.getLease(key.node);
  return JSON.stringify([
    store.table.changes(),
    groups.names().map((name) => groups.readGroup(name)?.stopped),
    groups.puts().length,
    cluster.pods.list().map(({ metadata }) => [metadata.uid, metadata.resourceVersion]),
    node.ok && node.value.metadata.resourceVersion,
    lease.ok && lease.value.resourceVersion,
    cluster.events().length,
  ]);
}

/** Killed before and after each call, and with it under way where it changes anything. */
export const killPoints = (points: readonly Point[]): readonly CallFault[] =>
  points.flatMap(({ index, isChange }) =>
    momentsOf(isChange).map((moment): CallFault => ({ kind: 'kill', call: index, moment })),
  );

/**
 * Those of the kill points that leave different worlds: a process that dies after a call that changed nothing leaves
 * the world of the call before, and one that arrives late counts where no precondition guards it.
 */
export const distinctKillPoints = (points: readonly Point[]): readonly CallFault[] => [
  { kind: 'kill', call: 0, moment: 'before' },
  ...points.flatMap(({ index, isChange, name }): CallFault[] => {
    if (!isChange) return [];
    const moments: readonly Moment[] = windowCalls.has(name) ? ['inside', 'after'] : ['after'];
    return moments.map((moment) => ({ kind: 'kill', call: index, moment }));
  }),
];

const momentsOf = (isChange: boolean): readonly Moment[] =>
  isChange ? ['before', 'inside', 'after'] : ['before', 'after'];

/** Frozen before, in, and after each call; a read that arrives late is as one that was sent late. */
export const freezePoints = (points: readonly Point[]): readonly CallFault[] =>
  points.flatMap(({ index, isChange }) =>
    momentsOf(isChange).map((moment): CallFault => ({ kind: 'freeze', call: index, moment })),
  );
