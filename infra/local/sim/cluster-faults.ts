import { fail, ok } from '../../../shared/core/fault.ts';
import type { Fault, Result } from '../../../shared/core/fault.ts';
import type { Outcome, Refusal } from './api-server/refusal.ts';

/** What a test makes go wrong with one method. `after`: the effect takes place, and only the answer is lost. */
export interface InjectedFault<Method extends string> {
  readonly method: Method;
  readonly fault: Fault;
  readonly moment: 'before' | 'after';
  /** How many calls pass first; none unless told. */
  readonly skip?: number;
  /** How often; once unless told. */
  readonly times?: number;
}

/** Every call of an API passes here: it is counted, may be made to fail, and is refused when its signal has ended. */
export interface CallGate<Method extends string> {
  readonly call: <T>(method: Method, signal: AbortSignal, act: () => Result<T>) => Promise<Result<T>>;
  readonly inject: (fault: InjectedFault<Method>) => void;
  /** Methods called so far, in order. */
  readonly calls: () => readonly Method[];
}

export function createCallGate<Method extends string>(): CallGate<Method> {
  const calls: Method[] = [];
  const rules: { rule: InjectedFault<Method>; skip: number; left: number }[] = [];
  /** One call counts once for each rule, at the rule's own moment. */
  const injected = (method: Method, moment: 'before' | 'after'): Fault | undefined => {
    for (const entry of rules) {
      if (entry.left === 0 || entry.rule.method !== method || entry.rule.moment !== moment) continue;
      if (entry.skip > 0) {
        entry.skip -= 1;
        continue;
      }
      entry.left -= 1;
      return entry.rule.fault;
    }
    return undefined;
  };
  return {
    call: async (method, signal, act) => {
      if (signal.aborted) return fail({ kind: 'transient', message: 'there is no time left for the request' });
      calls.push(method);
      const before = injected(method, 'before');
      if (before !== undefined) return fail(before);
      const result = act();
      const after = injected(method, 'after');
      return after === undefined ? result : fail(after);
    },
    inject: (rule) => void rules.push({ rule, skip: rule.skip ?? 0, left: rule.times ?? 1 }),
    calls: () => calls,
  };
}

/** What the Kubernetes adapter makes of the same refusal when it comes over HTTP. */
export function faultOf({ code, reason, message }: Refusal): Fault {
  switch (code) {
    case 401:
    case 403:
      return { kind: 'denied', code: reason, message };
    case 404:
      return { kind: 'not-found', code: reason, message };
    case 409:
    case 410:
      return { kind: 'conflict', code: reason, message };
    default:
      return code < 500 ? { kind: 'rejected', code: reason, message } : { kind: 'transient', message };
  }
}

/** An outcome as a port tells it; `read` gives undefined for what is not the kind that was asked for, which is a bug here. */
export function resultOf<T, R>(outcome: Outcome<T>, read: (value: T) => R | undefined): Result<R> {
  if (!outcome.ok) return fail(faultOf(outcome.refusal));
  const value = read(outcome.value);
  if (value === undefined) throw new Error('the object is not of the kind under which it is stored');
  return ok(value);
}
