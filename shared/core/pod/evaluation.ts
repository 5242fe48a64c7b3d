import type { Refusal, Translation } from './translation.ts';

export type Waiting = Extract<Translation, { readonly kind: 'waiting' }>;

/** Why a pod can't be translated: for ever, or for now. */
type Obstacle = Refusal | Waiting;

export type Evaluation<T> = { readonly kind: 'ok'; readonly value: T } | Obstacle;

export const ok = <T>(value: T): Evaluation<T> => ({ kind: 'ok', value });

/** The reason of a pod whose spec asks for what is not there; there is none of Kubernetes' own that says it better. */
const unsupported = 'UnsupportedPodSpec';

export const refuse = (field: string, why: string, reason: string = unsupported): Refusal => ({
  kind: 'refused',
  reason,
  field,
  message: `${field}: ${why}`,
});

export const configError = (message: string): Waiting => ({
  kind: 'waiting',
  reason: 'CreateContainerConfigError',
  message,
});

export const failedMount = (message: string): Waiting => ({ kind: 'waiting', reason: 'FailedMount', message });

/** Ends a switch over a union: the compiler proves that nothing is left, so reaching it is a bug. */
export function unreachable(value: never): never {
  throw new Error(`not a member of the union: ${JSON.stringify(value)}`);
}

/** All values in order, or the first obstacle. */
export function all<T>(outcomes: Iterable<Evaluation<T>>): Evaluation<readonly T[]> {
  const values: T[] = [];
  for (const outcome of outcomes) {
    if (outcome.kind !== 'ok') return outcome;
    values.push(outcome.value);
  }
  return ok(values);
}
