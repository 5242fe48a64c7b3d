/** Reading and changing objects as JSON: a missing or wrongly typed member reads as empty, and nothing is changed in place. */
import { isJsonObject } from './json.ts';
import type { JsonObject } from './json.ts';

const nothing: JsonObject = {};
const none: readonly JsonObject[] = [];

export function objectAt(json: JsonObject, name: string): JsonObject {
  const value = json[name];
  return isJsonObject(value) ? value : nothing;
}

export function textAt(json: JsonObject, name: string): string {
  const value = json[name];
  return typeof value === 'string' ? value : '';
}

export function numberAt(json: JsonObject, name: string): number | undefined {
  const value = json[name];
  return typeof value === 'number' ? value : undefined;
}

/** The objects of a list; other elements are left out. */
export function objectsAt(json: JsonObject, name: string): readonly JsonObject[] {
  const value = json[name];
  return Array.isArray(value) ? value.filter(isJsonObject) : none;
}

/** `json` with what it lacks of `defaults`; an empty text or null counts as lacking, as Go's zero values do. */
export function withDefaults(json: JsonObject, defaults: JsonObject): JsonObject {
  const lacking = Object.entries(defaults).filter(([name]) => {
    const value = json[name];
    return value === undefined || value === null || value === '';
  });
  return lacking.length === 0 ? json : { ...json, ...Object.fromEntries(lacking) };
}
