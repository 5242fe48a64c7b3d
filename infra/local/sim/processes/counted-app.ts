import { intercepted, interceptedTable } from '../intercepted.ts';
import { createAppProcess, freeReservation } from '../app-process.ts';
import { createBudgets } from '../../../../shared/adapters/budgets/budgets.ts';
import type { MemoryCluster } from '../memory-cluster.ts';
import type { MemoryStore } from '../memory-store.ts';
import type { Scheduler } from '../time/scheduler.ts';
import type { Settings } from '../../../../shared/wire/settings.ts';
import type { MemoryTable } from '../memory-table.ts';
import type { RowTable } from '../../../../shared/adapters/tables/row-table.ts';
import { createStateStore } from '../../../../shared/adapters/tables/state-store.ts';
import type { Deps } from '../../../../shared/app/deps.ts';
import { defaultArmLimits } from '../../../../shared/core/budget/plan.ts';
import { fail } from '../../../../shared/core/fault.ts';
import type { Result } from '../../../../shared/core/fault.ts';
import type { AgentWords } from '../../../../shared/ports/agent-words.ts';
import type { Budgets, Spend } from '../../../../shared/ports/budgets.ts';
import type { ContainerGroups } from '../../../../shared/ports/container-groups.ts';
import type { Log, LogFields } from '../../../../shared/ports/log.ts';
import type { ImageRegistry } from '../../../../shared/ports/image-registry.ts';
import type { KeptLogs } from '../../../../shared/ports/kept-logs.ts';
import type { NodeApi } from '../../../../shared/ports/node-api.ts';
import { noTimeLeft } from '../faults/call-gate.ts';
import { createProcessClock } from '../time/process-clock.ts';
import { random } from '../time/chance.ts';
import type { CountedProcess } from './counted-process.ts';

/** All that is outside of a process, and what it knows at its start. */
export interface SimulatedWorld {
  readonly scheduler: Scheduler;
  readonly settings: Settings;
  readonly store: MemoryStore;
  readonly groups: ContainerGroups;
  readonly agents: AgentWords;
  readonly keptLogs: KeptLogs;
  readonly imageRegistry: ImageRegistry;
  readonly cluster: MemoryCluster;
}

/** A process of a life: what it does outside, and what it works with. */
export interface CountedApp {
  readonly instance: CountedProcess;
  readonly deps: Deps;
}

export interface CountedAppOptions {
  readonly seed: number;
  /** ARM's budgets are before each ARM request, in rows of the same table. */
  readonly budgets: boolean;
  readonly log: (message: string, fields: LogFields | undefined) => void;
}

/** One process of the app over the world, each single request of which passes through `instance`. */
export function createCountedApp(world: SimulatedWorld, instance: CountedProcess, options: CountedAppOptions): Deps {
  const log: Log = { info: options.log, warn: options.log };
  const clock = createProcessClock(world.scheduler, { sleep: () => instance.pause() });
  const store = createStateStore(watchedTable(world.store.table, instance), log);
  const watched = watchedPort(world.groups, 'groups', instance);
  const budgets = options.budgets
    ? createBudgets(store, defaultArmLimits, { chunk: 10, log, monotonicMs: () => clock.monotonicMs() })
    : undefined;
  const groups = budgets === undefined ? watched : paidGroups(watched, budgets);
  return createAppProcess({
    settings: world.settings,
    log,
    store,
    groups,
    agentWords: watchedPort(world.agents, 'agentWords', instance),
    keptLogs: watchedPort(world.keptLogs, 'keptLogs', instance),
    imageRegistry: watchedPort(world.imageRegistry, 'imageRegistry', instance),
    cluster: {
      api: watchedPort(world.cluster.api, 'cluster', instance),
      nodeApi: (name) => watchedNodeApi(world.cluster.nodeApi(name), instance),
    },
    random: random(options.seed),
    clock,
    instance: instance.name,
    reserveCreate: () => budgets?.reserve('write-create') ?? freeReservation(),
  });
}

/** Each method is one request, bounded by the signal among its arguments. */
const watchedPort = <T extends object>(port: T, name: string, instance: CountedProcess): T =>
  intercepted(port, name, (call) => instance.call(call.name, call.args, call.send, call.signal));

/** As the real adapter does it: after a patch that was refused, one read says whether another pod has the name. */
function watchedNodeApi(port: NodeApi, instance: CountedProcess): NodeApi {
  const api = watchedPort(port, 'api', instance);
  const hiding: ReadonlySet<string> = new Set(['conflict', 'rejected', 'denied']);
  const patchPodStatus: NodeApi['patchPodStatus'] = async (pod, status, signal) => {
    const patched = await api.patchPodStatus(pod, status, signal);
    if (patched.ok || !hiding.has(patched.fault.kind)) return patched;
    const current = await api.getPod(pod.metadata, signal);
    if (!current.ok || current.value?.metadata.uid === pod.metadata.uid) return patched;
    return fail({ kind: 'not-found', code: 'NotFound', message: 'another pod has the name' });
  };
  return new Proxy(api, {
    get: (target, key, receiver): unknown =>
      key === 'patchPodStatus' ? patchPodStatus : Reflect.get(target, key, receiver),
  });
}

const watchedTable = (table: MemoryTable, instance: CountedProcess): RowTable => ({
  // The service's time is known from its last answer.
  now: () => table.now(),
  ...interceptedTable(table, ({ method, args }, send) =>
    instance.call(`table.${method === 'insert' ? 'submit' : method}`, args, send),
  ),
});

/** As the real adapter does it: a permit, one more look at the signal, the request. */
function paidGroups(groups: ContainerGroups, budgets: Budgets): ContainerGroups {
  const paid = async <T>(spend: Spend, signal: AbortSignal, send: () => Promise<Result<T>>): Promise<Result<T>> => {
    const permit = await budgets.take(spend);
    if (!permit.ok) return permit;
    return signal.aborted ? noTimeLeft : send();
  };
  return {
    list: (signal) => paid('read-poll', signal, () => groups.list(signal)),
    get: (name, signal, options) =>
      paid(options?.canWait === true ? 'read-watch' : 'read-poll', signal, () => groups.get(name, signal, options)),
    createOrUpdate: (name, body, signal) =>
      paid('write-create', signal, () => groups.createOrUpdate(name, body, signal)),
    delete: (name, signal) => paid('delete', signal, () => groups.delete(name, signal)),
    stop: (name, signal) => paid('write-end', signal, () => groups.stop(name, signal)),
    listLogs: (request, signal) => paid('read-logs', signal, () => groups.listLogs(request, signal)),
    listMetrics: (name, window, signal) => paid('read-metrics', signal, () => groups.listMetrics(name, window, signal)),
    exec: (request, signal) =>
      paid(request.isWord === true ? 'write-word' : 'write-stream', signal, () => groups.exec(request, signal)),
    attach: (request, signal) => paid('write-stream', signal, () => groups.attach(request, signal)),
    getOperation: (url, signal) => paid('read-poll', signal, () => groups.getOperation(url, signal)),
    listUsages: (signal) => paid('read-poll', signal, () => groups.listUsages(signal)),
  };
}
