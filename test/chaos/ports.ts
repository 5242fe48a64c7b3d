import { intercepted, interceptedTable } from '../../infra/local/sim/intercepted.ts';
import { createBudgets } from '../../shared/adapters/budgets/budgets.ts';
import type { RowTable } from '../../shared/adapters/tables/row-table.ts';
import { createStateStore } from '../../shared/adapters/tables/state-store.ts';
import { fail, ok } from '../../shared/core/fault.ts';
import type { Result } from '../../shared/core/fault.ts';
import type { AgentWords } from '../../shared/ports/agent-words.ts';
import type { BudgetObservation, Budgets, Spend } from '../../shared/ports/budgets.ts';
import type { ContainerGroups } from '../../shared/ports/container-groups.ts';
import type { ImageRegistry } from '../../shared/ports/image-registry.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { StateStore } from '../../shared/ports/state-store.ts';
import { armLimits } from '../../shared/wire/arm-settings.ts';
import type { Settings } from '../../shared/wire/settings.ts';
import type { Chance } from '../../infra/local/sim/time/chance.ts';
import type { ArmMeter } from './arm-meter.ts';
import type { FaultSource } from './faults.ts';
import type { ArmServer } from './arm-server.ts';
import type { Plan } from '../../infra/local/sim/faults/request-plan.ts';
import type { TimedProcess } from '../../infra/local/sim/processes/timed-process.ts';

/** What the server's side of a Kubernetes call may do before it acts. */
export type Interference = (plan: Plan, uid: string, method: string) => void;

const unbounded = new AbortController().signal;

/** A Kubernetes port of one process: each method is a request that may go wrong. */
export const faultyKubernetes = <T extends object>(port: T, process: TimedProcess, interfere: Interference): T =>
  intercepted(port, 'kubernetes', ({ method, args, signal, send }) => {
    const uid = uidIn(args[0]);
    return process.call({ port: 'kubernetes', method, key: uid }, signal, (plan) => {
      interfere(plan, uid, method);
      // A request that has been sent arrives, whether or not anybody still waits for its answer.
      return send(unbounded);
    });
  });

/** Agents that hear a word, and whose answer is lost on its way for some. */
export function forgetfulWords(
  words: AgentWords,
  { chance, rate, faults }: { readonly chance: Chance; readonly rate: number; readonly faults: FaultSource },
): AgentWords {
  return {
    ...words,
    drain: async (place, order, signal) => {
      const answer = await words.drain(place, order, signal);
      if (!answer.ok || faults.isOver || !chance.isHit(rate)) return answer;
      faults.count('word: answer lost');
      return fail({ kind: 'transient', message: 'the session ended without a word' });
    },
  };
}

/** The registries of images as one process asks them. */
export const faultyRegistry = (port: ImageRegistry, process: TimedProcess): ImageRegistry =>
  intercepted(port, 'registry', ({ method, signal, send }) =>
    process.call({ port: 'registry', method, key: '' }, signal, () => send(unbounded)),
  );

/** Which pod a call is about; empty when it is about none. */
function uidIn(argument: unknown): string {
  const about = argument as { uid?: unknown; metadata?: { uid?: unknown }; involved?: { uid?: unknown } } | undefined;
  const found = about?.metadata?.uid ?? about?.involved?.uid ?? about?.uid;
  return typeof found === 'string' ? found : '';
}

/** How long the service's time is known without a new answer (as in table-store.ts). */
const clockKnownMs = 60_000;

export interface TableParts {
  readonly table: RowTable;
  readonly now: () => number;
  /** How far behind this process reads the service's time: a Date header has whole seconds. */
  readonly lagMs: number;
  readonly log: Log;
  /** Sees whatever is written, as JSON. */
  readonly onWrite: (text: string) => void;
}

/** The state store of one process, over a table each of whose requests may go wrong. */
export function faultyStore(process: TimedProcess, parts: TableParts): StateStore {
  const { table, now } = parts;
  let heardAt = -Infinity;
  const heard = async <T>(answer: Promise<Result<T>>): Promise<Result<T>> => {
    const result = await answer;
    if (result.ok || result.fault.kind !== 'transient') heardAt = now();
    return result;
  };
  const call = <T>(method: string, key: string, act: () => Promise<Result<T>>): Promise<Result<T>> =>
    heard(process.call({ port: 'tables', method, key: key.replace(/^(pod-|due-\d+-)/, '') }, undefined, act));
  const faulty: RowTable = {
    now: async () => {
      if (now() - heardAt > clockKnownMs) await call('get', 'clock', () => table.get('clock', 'clock'));
      return now() - heardAt > clockKnownMs
        ? fail({ kind: 'transient', message: 'The Table service reported no time.' })
        : ok(Math.round(now() - parts.lagMs));
    },
    ...interceptedTable(table, ({ method, rowKey, args }, send) => {
      if (method === 'submit' || method === 'insert') parts.onWrite(JSON.stringify(args));
      return call(method, rowKey, send);
    }),
  };
  return createStateStore(faulty, parts.log);
}

export interface ArmParts {
  readonly server: ArmServer;
  readonly meter: ArmMeter;
  readonly settings: Settings;
  readonly store: StateStore;
  readonly log: Log;
}

/** The container groups of one process: one permit of the shared budgets a request, as the real adapter does it. */
export function faultyGroups(
  process: TimedProcess,
  { server, meter, settings, store, log }: ArmParts,
): { readonly groups: ContainerGroups; readonly budgets: Budgets } {
  const budgets = createBudgets(store, armLimits(settings), {
    chunk: 10,
    log,
    monotonicMs: () => process.clock.monotonicMs(),
  });
  const send = async <T>(
    request: { readonly method: string; readonly group: string; readonly spend: Spend; readonly signal: AbortSignal },
    act: (plan: Plan) => Promise<Result<T>>,
  ): Promise<Result<T>> => {
    const permit = await budgets.take(request.spend);
    if (!permit.ok) return permit;
    // Counted when it leaves: what the network holds back is not the budget's to foresee.
    const metered = meter.take(request.spend);
    const call = { port: 'arm', method: request.method, key: server.uidOf(request.group) } as const;
    const answer = await process.call(call, request.signal, async (plan) => (metered.ok ? act(plan) : metered));
    const observed = metered.ok && answer.ok ? metered.value : {};
    await report(budgets, request.spend, { answer, observed });
    return answer;
  };
  const read = { spend: 'read-poll', group: '' } as const;
  const groups: ContainerGroups = {
    list: (signal) => send({ ...read, method: 'list', signal }, (plan) => server.list(plan)),
    get: (group, signal) => send({ ...read, method: 'get', group, signal }, (plan) => server.get(group, plan)),
    createOrUpdate: (group, body, signal) =>
      send({ method: 'createOrUpdate', group, spend: 'write-create', signal }, (plan) => server.put(group, body, plan)),
    delete: (group, signal) =>
      send({ method: 'delete', group, spend: 'delete', signal }, (plan) => server.delete(group, plan)),
    stop: (group, signal) => send({ method: 'stop', group, spend: 'write-end', signal }, () => server.stop(group)),
    listLogs: (request, signal) =>
      send({ method: 'listLogs', group: request.group, spend: 'read-logs', signal }, () =>
        server.groups.listLogs(request, unbounded),
      ),
    listMetrics: (group, window, signal) =>
      send({ method: 'listMetrics', group, spend: 'read-metrics', signal }, () =>
        server.groups.listMetrics(group, window, unbounded),
      ),
    exec: (request, signal) =>
      send(
        {
          method: 'exec',
          group: request.group,
          spend: request.isWord === true ? 'write-word' : 'write-stream',
          signal,
        },
        () => server.groups.exec(request, unbounded),
      ),
    attach: (request, signal) =>
      send({ method: 'attach', group: request.group, spend: 'write-stream', signal }, () =>
        server.groups.attach(request, unbounded),
      ),
    getOperation: (url, signal) =>
      send({ ...read, method: 'getOperation', signal }, () => server.groups.getOperation(url, unbounded)),
    listUsages: (signal) => send({ ...read, method: 'listUsages', signal }, () => server.groups.listUsages(unbounded)),
  };
  return { groups, budgets };
}

/** A 429 is reported before anybody goes on, the rest beside. */
async function report(
  budgets: Budgets,
  spend: Spend,
  { answer, observed }: { readonly answer: Result<unknown>; readonly observed: BudgetObservation },
): Promise<void> {
  const isThrottled = !answer.ok && answer.fault.kind === 'throttled';
  const retryAfter = isThrottled ? { retryAfterMs: answer.fault.retryAfterMs } : {};
  const observation = { ...observed, ...retryAfter };
  if (Object.keys(observation).length === 0) return;
  const reported = budgets.report(spend, observation);
  if (isThrottled) await reported;
}
