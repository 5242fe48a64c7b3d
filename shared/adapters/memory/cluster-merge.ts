import { isJsonObject } from '../../core/json.ts';
import type { Json, JsonObject } from '../../core/json.ts';

/** Lists that merge element by element, each by this member; all others are replaced (the API reference's patch strategies). */
const mergeKeys: Readonly<Record<string, string>> = { conditions: 'type', podIPs: 'ip', hostIPs: 'ip' };

/** A strategic merge patch: null removes a member, `$patch: replace` empties a list or map first. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged: Record<string, Json | undefined> = patch['$patch'] === 'replace' ? {} : { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (name === '$patch' || value === undefined) continue;
    if (value === null) delete merged[name];
    else merged[name] = mergeMember(name, merged[name], value);
  }
  return merged;
}

function mergeMember(name: string, before: Json | undefined, value: Json): Json {
  if (isJsonObject(value)) return mergePatch(isJsonObject(before) ? before : {}, value);
  const key = mergeKeys[name];
  if (!Array.isArray(value) || key === undefined) return withoutNulls(value);
  return mergeList(Array.isArray(before) ? before : [], value.filter(isJsonObject), key);
}

function mergeList(before: readonly Json[], patches: readonly JsonObject[], key: string): readonly Json[] {
  const isReplacing = patches.some((patch) => patch['$patch'] === 'replace');
  const list = isReplacing ? [] : before.filter(isJsonObject);
  for (const patch of patches.filter((one) => one['$patch'] === undefined)) {
    const index = list.findIndex((element) => element[key] === patch[key]);
    if (index === -1) list.push(mergePatch({}, patch));
    else list[index] = mergePatch(list[index] ?? {}, patch);
  }
  return list;
}

/** What a typed server would not keep inside an atomic list. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  return isJsonObject(value)
    ? Object.fromEntries(
        Object.entries(value).flatMap(([name, member]) =>
          member === null || member === undefined ? [] : [[name, withoutNulls(member)]],
        ),
      )
    : value;
}
