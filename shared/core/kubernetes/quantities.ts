import type { Json, JsonObject } from '../json.ts';
import { formatQuantity, parseQuantity } from '../quantity/quantity.ts';
import { objectAt } from '../json-access.ts';

/** The lists of `names` in `object`, their quantities as the API server writes them: `1000m` is `1`, `1024Mi` is `1Gi`. */
export function inCanonicalForm(object: JsonObject, ...names: readonly string[]): JsonObject {
  const changed = names.flatMap((name) =>
    object[name] === undefined ? [] : [[name, canonical(objectAt(object, name))] as const],
  );
  return changed.length === 0 ? object : { ...object, ...Object.fromEntries(changed) };
}

const canonical = (list: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(list).map(([name, value]) => [name, canonicalQuantity(value)]));

/** What is no quantity is left to validation; one with an exponent keeps it. */
function canonicalQuantity(value: Json | undefined): Json | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  const units = typeof text === 'string' ? parseQuantity(text) : undefined;
  if (typeof text !== 'string' || units === undefined || /e[+-]?\d/i.test(text)) return value;
  return formatQuantity(units, text.endsWith('i') ? 'binary' : 'decimal');
}
