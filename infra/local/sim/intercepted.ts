/** Whoever is between a process of the app and its outside: every request of a port passes by, under one name. */
import type { Result } from '../../../shared/core/fault.ts';
import type { RowTable } from '../../../shared/adapters/tables/row-table.ts';

/** One request, before it is sent. */
export interface PortCall {
  /** `groups.get`, `api.patchPodStatus`. */
  readonly name: string;
  readonly method: string;
  /** Without the signal. */
  readonly args: readonly unknown[];
  readonly signal: AbortSignal | undefined;
  /** Sends it, under whichever signal. */
  readonly send: (signal: AbortSignal | undefined) => Promise<Result<unknown>>;
}

/** The same port; what `meet` answers, its caller hears. `now` reads a clock and is no request. */
export function intercepted<T extends object>(port: T, name: string, meet: (call: PortCall) => Promise<unknown>): T {
  const methods = new Map<string | symbol, unknown>();
  return new Proxy(port, {
    get: (target, key, receiver) => {
      const known = methods.get(key);
      if (known !== undefined) return known;
      const member: unknown = Reflect.get(target, key, receiver);
      if (typeof member !== 'function' || typeof key !== 'string' || key === 'now') return member;
      const met = (...all: unknown[]): Promise<unknown> => {
        const signal = all.find((argument) => argument instanceof AbortSignal);
        const at = signal === undefined ? -1 : all.indexOf(signal);
        const send: PortCall['send'] = (sent) => Reflect.apply(member, target, at === -1 ? all : all.with(at, sent));
        return meet({
          name: `${name}.${key}`,
          method: key,
          args: at === -1 ? all : all.toSpliced(at, 1),
          signal,
          send,
        });
      };
      methods.set(key, met);
      return met;
    },
  });
}

/** One request to the Table service: `get`, `query`, `submit` (or `insert`, of a row that may not be there yet) or `remove`. */
export interface TableCall {
  readonly method: 'get' | 'query' | 'submit' | 'insert' | 'remove';
  /** The first row that it is about. */
  readonly rowKey: string;
  readonly args: readonly unknown[];
}

type MeetTable = <T>(call: TableCall, send: () => Promise<Result<T>>) => Promise<Result<T>>;

/** The same table; the service's time is the caller's own affair. */
export function interceptedTable(table: RowTable, meet: MeetTable): Omit<RowTable, 'now'> {
  return {
    get: (...args) => meet({ method: 'get', rowKey: args[1], args }, () => table.get(...args)),
    getAll: (...args) => meet({ method: 'get', rowKey: args[1][0] ?? '', args }, () => table.getAll(...args)),
    query: (...args) => meet({ method: 'query', rowKey: args[1].from, args }, () => table.query(...args)),
    nextPartition: (...args) => meet({ method: 'query', rowKey: args[0], args }, () => table.nextPartition(...args)),
    submit: (...args) => {
      const [first] = args[1];
      const method = first.kind === 'insert' ? 'insert' : 'submit';
      return meet({ method, rowKey: first.rowKey, args }, () => table.submit(...args));
    },
    submitAll: (...args) =>
      meet({ method: 'submit', rowKey: args[1][0]?.[0].rowKey ?? '', args }, () => table.submitAll(...args)),
    remove: (...args) => meet({ method: 'remove', rowKey: args[1], args }, () => table.remove(...args)),
  };
}
