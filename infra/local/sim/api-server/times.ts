import { isJsonObject } from '../../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../../shared/core/json.ts';

const timeName = /(?:Time|Timestamp|edAt)$/;
const fraction = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+(Z|[+-]\d\d:\d\d)$/;

/** A status as it is kept: `meta/v1.Time` has whole seconds, whatever was sent. */
export function inWholeSeconds(status: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(status).map(([name, value]) => [name, member(name, value)]));
}

function member(name: string, value: Json | undefined): Json | undefined {
  if (typeof value === 'string') return timeName.test(name) ? value.replace(fraction, '$1$2') : value;
  if (Array.isArray(value)) return value.map((one: Json) => (isJsonObject(one) ? inWholeSeconds(one) : one));
  return isJsonObject(value) ? inWholeSeconds(value) : value;
}
