import { createAppProcess, freeReservation } from '../../infra/local/sim/app-process.ts';
import { createBudgets } from '../../shared/adapters/budgets/budgets.ts';
import type { MemoryTable } from '../../infra/local/sim/memory-table.ts';
import type { RowTable } from '../../shared/adapters/tables/row-table.ts';
import { createStateStore } from '../../shared/adapters/tables/state-store.ts';
import type { Deps } from '../../shared/app/deps.ts';
import { defaultArmLimits } from '../../shared/core/budget/plan.ts';
import { fail } from '../../shared/core/fault.ts';
import type { Result } from '../../shared/core/fault.ts';
import type { Budgets, Spend } from '../../shared/ports/budgets.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ContainerGroups } from '../../shared/ports/container-groups.ts';
import type { Log, LogFields } from '../../shared/ports/log.ts';
import type { NodeApi } from '../../shared/ports/node-api.ts';
import { random } from '../app/world.ts';
import type { World } from '../app/world.ts';
import type { Instance } from './instance.ts';

export interface ProcessOptions {
  readonly seed: number;
  /** ARM's budgets stand before each ARM request, in rows of the same table. */
  readonly budgets: boolean;
  readonly log: (message: string, fields: LogFields | undefined) => void;
}

/** One process of the app over the world, each single request of which passes through `instance`. */
export function createProcess(world: World, instance: Instance, options: ProcessOptions): Deps {
  const log: Log = { info: options.log, warn: options.log };
  const clock: Clock = {
    wallMs: () => world.clock.wallMs(),
    monotonicMs: () => world.clock.monotonicMs(),
    timeout: (ms) => world.clock.timeout(ms),
    sleep: () => instance.pause(),
  };
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
    keptLogs: watchedPort(world.keptLogs, 'keptLogs', instance),
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

type Method = (...args: unknown[]) => Promise<Result<unknown>>;

/** Each method is one request, bounded by the signal among its arguments. `now` only reads a clock. */
function watchedPort<T extends object>(port: T, name: string, instance: Instance): T {
  const methods = new Map<string | symbol, unknown>();
  return new Proxy(port, {
    get: (target, key, receiver) => {
      const known = methods.get(key);
      if (known !== undefined) return known;
      const member: unknown = Reflect.get(target, key, receiver);
      if (typeof member !== 'function' || typeof key !== 'string' || key === 'now') return member;
      const method = member as Method;
      const watched = (...all: unknown[]): Promise<unknown> => {
        const at = all.findIndex((argument) => argument instanceof AbortSignal);
        const signal = at === -1 ? undefined : (all[at] as AbortSignal);
        const send = (sent?: AbortSignal): Promise<Result<unknown>> =>
          Reflect.apply(method, target, at === -1 ? all : all.with(at, sent));
        return instance.call(
          `${name}.${key}`,
          all.filter((argument) => argument !== signal || at === -1),
          send,
          signal,
        );
      };
      methods.set(key, watched);
      return watched;
    },
  });
}

/** As the real adapter does it: after a patch that was refused, one read tells whether another pod has the name. */
function watchedNodeApi(port: NodeApi, instance: Instance): NodeApi {
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

function watchedTable(table: MemoryTable, instance: Instance): RowTable {
  return {
    // The service's time is known from its last answer.
    now: () => table.now(),
    get: (...args) => instance.call('table.get', args, () => table.get(...args)),
    query: (...args) => instance.call('table.query', args, () => table.query(...args)),
    nextPartition: (...args) => instance.call('table.query', args, () => table.nextPartition(...args)),
    submit: (...args) => instance.call('table.submit', args, () => table.submit(...args)),
    submitAll: (...args) => instance.call('table.submit', args, () => table.submitAll(...args)),
    getAll: (...args) => instance.call('table.get', args, () => table.getAll(...args)),
    remove: (...args) => instance.call('table.remove', args, () => table.remove(...args)),
  };
}

/** As the real adapter does it: a permit, one more look at the signal, the request. */
function paidGroups(groups: ContainerGroups, budgets: Budgets): ContainerGroups {
  const paid = async <T>(spend: Spend, signal: AbortSignal, send: () => Promise<Result<T>>): Promise<Result<T>> => {
    const permit = await budgets.take(spend);
    if (!permit.ok) return permit;
    return signal.aborted ? fail({ kind: 'transient', message: 'There is no time left for the request.' }) : send();
  };
  return {
    list: (signal) => paid('read-look', signal, () => groups.list(signal)),
    get: (name, signal, options) =>
      paid(options?.canWait === true ? 'read-watch' : 'read-look', signal, () => groups.get(name, signal, options)),
    createOrUpdate: (name, body, signal) =>
      paid('write-create', signal, () => groups.createOrUpdate(name, body, signal)),
    delete: (name, signal) => paid('delete', signal, () => groups.delete(name, signal)),
    stop: (name, signal) => paid('write-end', signal, () => groups.stop(name, signal)),
    listLogs: (request, signal) => paid('read-logs', signal, () => groups.listLogs(request, signal)),
    getOperation: (url, signal) => paid('read-look', signal, () => groups.getOperation(url, signal)),
    listUsages: (signal) => paid('read-look', signal, () => groups.listUsages(signal)),
  };
}
