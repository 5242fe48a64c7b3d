/**
 * Server-side apply, simplified: each manager's last configuration is remembered, what it no longer names is taken away,
 * and the rest is merged. Managers never conflict here, and `managedFields` are not shown.
 */
import { isJsonObject } from '../../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../../shared/core/json.ts';
import { mergePatch } from './strategic-merge.ts';

/** `current` with what `previous` named and `wanted` does not taken away, and `wanted` merged in. */
export function applyConfiguration(
  current: JsonObject,
  previous: JsonObject | undefined,
  wanted: JsonObject,
): JsonObject {
  const kept = previous === undefined ? current : withoutAbandoned(current, previous, wanted);
  return mergePatch(kept, wanted);
}

function withoutAbandoned(current: JsonObject, previous: JsonObject, wanted: JsonObject): JsonObject {
  const kept: Record<string, Json | undefined> = { ...current };
  for (const [name, before] of Object.entries(previous)) {
    const now = wanted[name];
    const present = kept[name];
    if (now === undefined) delete kept[name];
    else if (isJsonObject(before) && isJsonObject(now) && isJsonObject(present))
      kept[name] = withoutAbandoned(present, before, now);
    // Elements of a list that merges are replaced as a whole: the manager names all that it wants.
    else if (Array.isArray(before) && Array.isArray(now)) delete kept[name];
  }
  return kept;
}
