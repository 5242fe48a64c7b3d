import type { JsonObject } from '../../../../shared/core/json.ts';
import { numberAt, textAt } from './json-access.ts';

/** Whether one of the tolerations bears the taint. */
export const isTolerated = (taint: JsonObject, tolerations: readonly JsonObject[]): boolean =>
  tolerations.some((one) => tolerates(one, taint));

/** How long the taint is borne, in s: 0 not at all, Infinity for ever. */
export function toleratedSeconds(taint: JsonObject, tolerations: readonly JsonObject[]): number {
  const matching = tolerations.filter((one) => tolerates(one, taint));
  if (matching.length === 0) return 0;
  return Math.min(...matching.map((one) => Math.max(0, numberAt(one, 'tolerationSeconds') ?? Infinity)));
}

function tolerates(toleration: JsonObject, taint: JsonObject): boolean {
  const key = textAt(toleration, 'key');
  const effect = textAt(toleration, 'effect');
  if (effect !== '' && effect !== textAt(taint, 'effect')) return false;
  if (key !== '' && key !== textAt(taint, 'key')) return false;
  const operator = textAt(toleration, 'operator') || 'Equal';
  return operator === 'Exists' || (key !== '' && textAt(toleration, 'value') === textAt(taint, 'value'));
}
