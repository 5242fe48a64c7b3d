import { isOver } from '../agent/reports/drain.ts';
import type { Drain, DrainWord } from '../agent/reports/drain.ts';
import { memoryOf } from '../agent/reports/memory.ts';
import type { AgentMemory } from '../agent/reports/memory.ts';
import { readTierTags } from '../agent/tier-tags.ts';
import type { GroupObservation, ObservedContainer } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { asHeard, rememberAgents } from './heard.ts';
import { inMs } from './rule.ts';
import type { Rule } from './rule.ts';
import { timing } from './timing.ts';
import type { Effect, Observed } from './observed.ts';
import type { PodRow } from './pod-row.ts';

/** How far the agents of a group that runs have come with the end of its programs. */
export type DrainStage =
  /** There is nobody to end them, or nobody any more, or the time is over: the group is ended without (rule 6). */
  | { readonly kind: 'none' }
  /** These are to hear the word, before `agent.drain.by`; `agent` goes into the row before. */
  | { readonly kind: 'say'; readonly agent: AgentMemory; readonly containers: readonly string[]; readonly by: number }
  /** All that can hear the word have heard it: their ends are waited for. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Nothing runs any more but what is parked. `group`: with all that is known of the ends. */
  | { readonly kind: 'ended'; readonly group: GroupObservation };

const none: DrainStage = { kind: 'none' };

/**
 * The stage of a group that was seen running. `until`: when the grace is over, given since when that is known; undefined: there
 * is no grace. Pure; the same world gives the same stage, so that a crash repeats one word at most.
 */
export function drainStage(
  observed: Pick<Observed, 'row' | 'now'>,
  pod: Pod,
  { group, until }: { readonly group: GroupObservation; readonly until: (since: number) => number | undefined },
): DrainStage {
  const { row, now } = observed;
  const agent = agentsOf(row, group);
  if (agent === undefined) return none;
  const heard = asHeard({ row: { ...row, agent } }, pod, group);
  if (heard.containers.every(isOver)) return { kind: 'ended', group: heard };
  const drain = drainBy(agent.drain, until, now);
  if (drain === undefined || now >= drain.by + timing.drainAllowanceMs) return none;
  const left = heard.containers.filter((container) => !isOver(container)).map(({ name }) => name);
  const runs = new Set(group.containers.filter(isRunning).map(({ name }) => name));
  const words = left.filter((name) => runs.has(name)).map((name) => [name, knownWord(agent, drain, name)] as const);
  const unasked = words.filter(([, word]) => word === undefined || word === 'unsure').map(([name]) => name);
  if (unasked.length > 0 && now < drain.by)
    return { kind: 'say', agent: { ...agent, drain }, containers: unasked, by: drain.by };
  const awaited = words.filter(([, word]) => word !== undefined && word !== 'nobody');
  if (awaited.length === 0) return none;
  const isReported = awaited.every(([name, word]) => word === 'heard' && agent.containers[name] !== undefined);
  const lookMs = isReported ? timing.drainPollMs.reported : pollMs(drain, now);
  return { kind: 'wait', ms: Math.min(drain.by + timing.drainAllowanceMs - now, lookMs) };
}

/** Ends that nobody will report are looked up, more rarely the longer they take. */
const pollMs = ({ at }: Drain, now: number): number =>
  Math.min(timing.drainPollMs.most, Math.max(timing.drainPollMs.least, (now - at) / 4));

/** What is remembered of agents that stay beside their programs; undefined: the group has none. */
function agentsOf(row: PodRow, group: GroupObservation): AgentMemory | undefined {
  const agent = memoryOf(group, rememberAgents(row, group).agent ?? row.agent);
  if (agent === undefined) return undefined;
  const hasReported = agent.expected.length > 0 || Object.keys(agent.containers).length > 0;
  // After the rows were lost the tier says it.
  return hasReported || readTierTags(group.tags)?.tier === 'T2' ? agent : undefined;
}

/** The drain as it is to be from now on; a nearer end is news for those who wait for a later one. */
function drainBy(
  known: Drain | undefined,
  until: (since: number) => number | undefined,
  now: number,
): Drain | undefined {
  const by = until(known?.since ?? now);
  const byNow = until(now);
  if (by === undefined || byNow === undefined) return undefined;
  if (known === undefined) return { at: now, since: now, by, words: {} };
  if (by >= known.by || byNow >= known.by) return known;
  const words = Object.entries(known.words).filter(([, word]) => word === 'nobody' || word === 'signalled');
  return { ...known, since: now, by: byNow, words: Object.fromEntries(words) };
}

/** Clocks of containers and tables differ a little. */
const clockSlackMs = 5_000;

/** An agent that reports that it drains has heard the word, whatever became of the answer. */
function knownWord({ containers }: AgentMemory, { by, words }: Drain, name: string): DrainWord | undefined {
  const word = words[name];
  if (word !== undefined && word !== 'unsure') return word;
  const drainsBy = containers[name]?.state.drainBy;
  return drainsBy !== undefined && drainsBy <= by + clockSlackMs ? 'heard' : word;
}

const isRunning = ({ instanceView }: ObservedContainer): boolean => instanceView?.currentState?.state === 'Running';

/** The row knows of the drain before anybody hears of it, so that a crash does not begin the grace anew. */
export const sayDrain = ({ agent, containers, by }: Extract<DrainStage, { kind: 'say' }>): readonly Effect[] => [
  { kind: 'save-row', row: { agent } },
  { kind: 'drain-agents', containers, by },
];

/** What could not be said, or may not have been heard, is said again within the grace, and then no more. */
export const drainUnsaidRule: Rule = {
  reason: 'drain-unsaid',
  message: 'Not every agent has heard for certain that its program is to end; the word is said again within the grace',
  judge: ({ outcome, row, at }) => {
    const drain = row.agent?.drain;
    if (outcome?.kind !== 'failed' || outcome.call !== 'drain-agents' || drain === undefined) return undefined;
    const { fault } = outcome;
    const repeatMs =
      fault.kind === 'throttled' ? fault.retryAfterMs : Math.max(timing.drainRepeatMs, (at - drain.at) / 2);
    const leftMs = Math.max(timing.soonMs, drain.by + timing.drainAllowanceMs - at);
    return { effects: [], row: {}, next: inMs(Math.min(repeatMs, leftMs)), fault };
  },
};
