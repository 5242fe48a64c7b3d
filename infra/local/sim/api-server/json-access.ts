/** Reading and changing objects as JSON: a missing or wrongly typed member reads as empty, and nothing is changed in place. */
import { isJsonObject } from '../../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../../shared/core/json.ts';
import { numberAt, objectAt, objectsAt, textAt, withDefaults } from '../../../../shared/core/json-access.ts';

export { numberAt, objectAt, objectsAt, textAt, withDefaults };

/** The texts of a list; other elements are left out. */
export function textsAt(json: JsonObject, name: string): readonly string[] {
  const value = json[name];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** The member at a path of names, through objects only. */
export function valueAt(json: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json | undefined = json;
  for (const name of path) {
    if (!isJsonObject(value)) return undefined;
    value = value[name];
  }
  return value;
}

export const metaOf = (json: JsonObject): JsonObject => objectAt(json, 'metadata');
export const specOf = (json: JsonObject): JsonObject => objectAt(json, 'spec');
export const statusOf = (json: JsonObject): JsonObject => objectAt(json, 'status');
export const nameOf = (json: JsonObject): string => textAt(metaOf(json), 'name');
export const namespaceOf = (json: JsonObject): string => textAt(metaOf(json), 'namespace');
export const uidOf = (json: JsonObject): string => textAt(metaOf(json), 'uid');
export const versionOf = (json: JsonObject): string => textAt(metaOf(json), 'resourceVersion');
export const labelsOf = (json: JsonObject): JsonObject => objectAt(metaOf(json), 'labels');
export const isDeleting = (json: JsonObject): boolean => textAt(metaOf(json), 'deletionTimestamp') !== '';

/** The object with these members of its metadata; undefined takes one away. */
export const withMeta = (json: JsonObject, members: JsonObject): JsonObject => ({
  ...json,
  metadata: defined({ ...metaOf(json), ...members }),
});

/** Without members that are undefined. */
export function defined(json: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined));
}

/** Without these members. */
export function omit(json: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(json).filter(([name]) => !names.includes(name)));
}

/** RFC 3339 in whole seconds, as the API server writes times. */
export const instant = (ms: number): string =>
  new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');

/** Whether two values mean the same to the server: members that are undefined, null or empty count as absent. */
export function isSame(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (isAbsent(left) || isAbsent(right)) return isAbsent(left) && isAbsent(right);
  if (Array.isArray(left)) return Array.isArray(right) && isSameList(left, right);
  return isJsonObject(left) && isJsonObject(right) && isSameObject(left, right);
}

const isSameList = (left: readonly Json[], right: readonly Json[]): boolean =>
  left.length === right.length && left.every((one, index) => isSame(one, right[index]));

function isSameObject(left: JsonObject, right: JsonObject): boolean {
  for (const name in left) if (!isSame(left[name], right[name])) return false;
  for (const name in right) if (left[name] === undefined && !isAbsent(right[name])) return false;
  return true;
}

const isAbsent = (value: Json | undefined): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0);
