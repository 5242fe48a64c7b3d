import { wordOf, whyUnsaid } from '../core/agent/reports/drain.ts';
import { whySilent } from '../core/agent/reports/silence.ts';
import { fail } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import type { Effect, Outcome } from '../core/reconcile/observed.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import { within } from './deps.ts';
import type { PodSession } from './pod-session.ts';

/** Of sessions to one group at a time: each costs a write of ARM's and a connection. */
const mostAtOnce = 8;
/** An agent answers at once; the rest is ARM's. */
const wordMs = 12_000;
const notSaid = fail({ kind: 'throttled', retryAfterMs: 1_000, message: 'too little time is left for another word' });

type Answers<T> = readonly (readonly [container: string, answer: Result<T>])[];

/** Says something to some containers, a few at a time. Never rejects. */
async function sayTo<T>(
  session: PodSession,
  containers: readonly string[],
  say: (container: string, signal: AbortSignal) => Promise<Result<T>>,
): Promise<Answers<T>> {
  const answers: [string, Result<T>][] = [];
  const waiting = [...containers];
  const next = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const signal = session.callSignal();
      const answer = signal === undefined ? notSaid : await say(name, within(session.deps, signal, wordMs));
      answers.push([name, answer]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(mostAtOnce, containers.length) }, next));
  return answers;
}

/**
 * Has agents end their programs by a time, and writes what came of it into the row: what is known then is not said again.
 * A crash in between repeats the word, which an agent takes as the same one.
 */
export async function drainAgents(
  session: PodSession,
  { containers, by }: Extract<Effect, { kind: 'drain-agents' }>,
): Promise<Outcome | undefined> {
  const { agentWords } = session.deps;
  const { group } = session.row;
  const answers = await sayTo(session, containers, (container, signal) => {
    const graceSeconds = Math.max(0, Math.ceil((by - session.now()) / 1000));
    return agentWords.drain({ group, container }, { graceSeconds }, signal);
  });
  const words = Object.fromEntries(
    answers.flatMap(([container, answer]) => {
      const word = wordOf(answer);
      return word === undefined ? [] : [[container, word] as const];
    }),
  );
  const saved = await session.save(withWords(session.row, words));
  if (!saved.ok) return { kind: 'row-lost' };
  const fault = whyUnsaid(answers.map(([, answer]) => answer));
  return fault && { kind: 'failed', call: 'drain-agents', fault };
}

function withWords(
  { agent }: PodRow,
  words: NonNullable<NonNullable<PodRow['agent']>['drain']>['words'],
): Partial<PodRow> {
  if (agent?.drain === undefined) return {};
  return { agent: { ...agent, drain: { ...agent.drain, words: { ...agent.drain.words, ...words } } } };
}

/** Asks agents why nobody hears them, once, and writes the answers into the row. */
export async function askAgents(session: PodSession, containers: readonly string[]): Promise<Outcome | undefined> {
  const { agentWords } = session.deps;
  const { group, agent } = session.row;
  if (agent === undefined) return undefined;
  const answers = await sayTo(session, containers, (container, signal) =>
    agentWords.status({ group, container }, signal),
  );
  const said = answers.map(([container, answer]) => [container, whySilent(answer)] as const);
  // What was heard meanwhile has a word of its own.
  const known = session.row.agent ?? agent;
  const silent = { ...known.silent, ...Object.fromEntries(said) };
  return (await session.save({ agent: { ...known, silent } })).ok ? undefined : { kind: 'row-lost' };
}
