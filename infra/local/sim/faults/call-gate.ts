import { fail } from '../../../../shared/core/fault.ts';
import type { Fault, Result } from '../../../../shared/core/fault.ts';
import type { Side } from './vocabulary.ts';

/** What a test makes go wrong with one method. `after`: the effect takes place, and only the answer is lost. */
export interface InjectedFault<Method extends string> {
  readonly method: Method;
  readonly fault: Fault;
  readonly moment: Side;
  /** How many calls pass first; none unless given. */
  readonly skip?: number;
  /** How often; once unless given. */
  readonly times?: number;
}

/** Every call of a port in memory passes here: it is counted, may be made to fail, and is refused when its signal has ended. */
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
  const injected = (method: Method, moment: Side): Fault | undefined => {
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
      if (signal.aborted) return noTimeLeft;
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

/** A request whose signal has ended is not sent. */
export const noTimeLeft: Result<never> = fail({
  kind: 'transient',
  message: 'There is no time left for the request.',
});
