/** Strategic merge patch and JSON merge patch, as the API server applies them to the kinds that are served here. */
import { isJsonObject } from '../../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../../shared/core/json.ts';

/** Lists that merge element by element, each by this member; all others are replaced (the API reference's patch strategies). */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  podIPs: 'ip',
  hostIPs: 'ip',
  addresses: 'type',
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  env: 'name',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
  ownerReferences: 'uid',
  schedulingGates: 'name',
  secrets: 'name',
};
/** Lists of texts that merge as sets. */
const sets = new Set(['finalizers']);
const orderPrefix = '$setElementOrder/';
const removePrefix = '$deleteFromPrimitiveList/';

/**
 * A strategic merge patch: null removes a member, `$patch: replace` empties a list or map first, `$patch: delete` takes
 * an element or a map away. What is not touched stays the same value.
 */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged: Record<string, Json | undefined> = patch['$patch'] === 'replace' ? {} : { ...target };
  retainKeys(merged, patch['$retainKeys']);
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined || name === '$patch' || name === '$retainKeys') continue;
    if (name.startsWith(orderPrefix) || name.startsWith(removePrefix)) continue;
    if (value === null || (isJsonObject(value) && value['$patch'] === 'delete')) delete merged[name];
    else merged[name] = mergeMember(name, merged[name], value);
  }
  applyDirectives(merged, patch);
  return merged;
}

/** RFC 7386: null removes a member, lists are replaced. */
export function jsonMergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged: Record<string, Json | undefined> = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    const before = merged[name];
    if (value === undefined) continue;
    if (value === null) delete merged[name];
    else merged[name] = isJsonObject(value) ? jsonMergePatch(isJsonObject(before) ? before : {}, value) : value;
  }
  return merged;
}

function mergeMember(name: string, before: Json | undefined, value: Json): Json {
  if (isJsonObject(value)) return mergePatch(isJsonObject(before) ? before : {}, value);
  if (!Array.isArray(value)) return value;
  const list: readonly Json[] = Array.isArray(before) ? before : [];
  if (sets.has(name)) return [...new Set([...list, ...value])];
  const key = mergeKeys[name] ?? portKey(name, value);
  return key === undefined ? withoutNulls(value) : mergeList(list, value.filter(isJsonObject), key);
}

/** A container's ports merge by another member than a Service's. */
function portKey(name: string, value: readonly Json[]): string | undefined {
  if (name !== 'ports') return undefined;
  return value.some((one) => isJsonObject(one) && one['containerPort'] !== undefined) ? 'containerPort' : 'port';
}

function mergeList(before: readonly Json[], patches: readonly JsonObject[], key: string): readonly Json[] {
  const isReplacing = patches.some((patch) => patch['$patch'] === 'replace');
  let list = isReplacing ? [] : before.filter(isJsonObject);
  for (const patch of patches) {
    if (patch['$patch'] === 'replace') continue;
    if (patch['$patch'] === 'delete') {
      list = list.filter((element) => element[key] !== patch[key]);
      continue;
    }
    const index = list.findIndex((element) => element[key] === patch[key]);
    if (index === -1) list.push(mergePatch({}, patch));
    else list[index] = mergePatch(list[index] ?? {}, patch);
  }
  return list;
}

function retainKeys(merged: Record<string, Json | undefined>, retained: Json | undefined): void {
  if (!Array.isArray(retained)) return;
  for (const name of Object.keys(merged)) if (!retained.includes(name)) delete merged[name];
}

function applyDirectives(merged: Record<string, Json | undefined>, patch: JsonObject): void {
  for (const [directive, value] of Object.entries(patch)) {
    if (!Array.isArray(value)) continue;
    if (directive.startsWith(removePrefix)) {
      const name = directive.slice(removePrefix.length);
      const list = merged[name];
      if (Array.isArray(list)) merged[name] = list.filter((one: Json) => !value.includes(one));
    } else if (directive.startsWith(orderPrefix)) {
      const name = directive.slice(orderPrefix.length);
      const list = merged[name];
      if (Array.isArray(list)) merged[name] = inOrder(name, list, value);
    }
  }
}

/** Elements that the order names, in that order, then the others as they was. */
function inOrder(name: string, list: readonly Json[], order: readonly Json[]): readonly Json[] {
  const key = mergeKeys[name] ?? portKey(name, list);
  const identityOf = (one: Json): Json | undefined => (isJsonObject(one) && key !== undefined ? one[key] : one);
  const places = order.map(identityOf);
  const placeOf = (one: Json): number => {
    const place = places.indexOf(identityOf(one));
    return place === -1 ? places.length : place;
  };
  return list.toSorted((left, right) => placeOf(left) - placeOf(right));
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
