import type { JsonObject } from '../../../../shared/core/json.ts';
import { metaOf, nameOf, namespaceOf } from './json-access.ts';
import type { Resource } from './resources.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One write. Objects are never changed in place, so that a change may be kept and read later. */
export interface Change {
  readonly type: ChangeType;
  readonly resource: Resource;
  readonly version: number;
  /** As it was; undefined when it is new. */
  readonly before: JsonObject | undefined;
  /** As it is, or its last state under the version of its deletion. */
  readonly object: JsonObject;
}

export interface Key {
  /** Empty for what has no namespace. */
  readonly namespace: string;
  readonly name: string;
}

const defaultHistory = 4096;

/**
 * Every object of one cluster as JSON, under one counter of resourceVersions, and the last writes: what etcd and the
 * watch cache are to an API server. Knows no rules.
 */
export class ObjectStore {
  readonly #objects = new Map<Resource, Map<string, JsonObject>>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #historySize: number;
  #history: Change[] = [];
  #version: number;
  /** The newest version of which changes may be missing from the history. */
  #forgotten: number;

  constructor(options: { readonly firstVersion: number; readonly historySize?: number }) {
    this.#version = options.firstVersion;
    this.#forgotten = options.firstVersion;
    this.#historySize = options.historySize ?? defaultHistory;
  }

  /** Of the last write. */
  get version(): number {
    return this.#version;
  }

  get(resource: Resource, { namespace, name }: Key): JsonObject | undefined {
    return this.#objects.get(resource)?.get(`${namespace}/${name}`);
  }

  /** In no promised order. */
  all(resource: Resource): Iterable<JsonObject> {
    return this.#objects.get(resource)?.values() ?? [];
  }

  /** In etcd's order: by namespace, then name. */
  sorted(resource: Resource, namespace = ''): readonly JsonObject[] {
    const objects = [...(this.#objects.get(resource)?.entries() ?? [])];
    const wanted = namespace === '' ? objects : objects.filter(([key]) => key.startsWith(`${namespace}/`));
    return wanted.toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, object]) => object);
  }

  /** Creates or replaces it under the next version. */
  put(resource: Resource, json: JsonObject): JsonObject {
    const objects = this.#objects.get(resource) ?? new Map<string, JsonObject>();
    this.#objects.set(resource, objects);
    const key = `${namespaceOf(json)}/${nameOf(json)}`;
    const before = objects.get(key);
    const object = this.#versioned(json);
    objects.set(key, object);
    this.#notify({
      type: before === undefined ? 'ADDED' : 'MODIFIED',
      resource,
      version: this.#version,
      before,
      object,
    });
    return object;
  }

  /** Its last state under the version of the deletion; undefined when it is not there. */
  remove(resource: Resource, { namespace, name }: Key): JsonObject | undefined {
    const objects = this.#objects.get(resource);
    const before = objects?.get(`${namespace}/${name}`);
    if (objects === undefined || before === undefined) return undefined;
    objects.delete(`${namespace}/${name}`);
    const object = this.#versioned(before);
    this.#notify({ type: 'DELETED', resource, version: this.#version, before, object });
    return object;
  }

  /** All writes after `version`, or `expired` when some of them are forgotten. */
  changesSince(version: number): readonly Change[] | 'expired' {
    if (version < this.#forgotten) return 'expired';
    return this.#history.filter((change) => change.version > version);
  }

  /** Forgets the history, as a compaction does. */
  compact(): void {
    this.#history = [];
    this.#forgotten = this.#version;
  }

  /** Called after each write until the returned function is. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #versioned(json: JsonObject): JsonObject {
    this.#version += 1;
    return { ...json, metadata: { ...metaOf(json), resourceVersion: String(this.#version) } };
  }

  #notify(change: Change): void {
    this.#history.push(change);
    // Cutting in blocks keeps writing cheap.
    if (this.#history.length > this.#historySize * 2) {
      const gone = this.#history.slice(0, -this.#historySize);
      this.#history = this.#history.slice(-this.#historySize);
      this.#forgotten = gone.at(-1)?.version ?? this.#forgotten;
    }
    for (const listener of this.#listeners) listener(change);
  }
}
