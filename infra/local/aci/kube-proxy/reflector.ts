import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { ApiReader } from './api.ts';

export interface ReflectorOptions<T> {
  readonly api: ApiReader;
  /** Such as `/api/v1/services`. */
  readonly path: string;
  readonly schema: z.ZodType<T>;
  /** After so many seconds a watch ends and is asked for again, with the credential as it is then. */
  readonly watchSeconds: number;
  /** Called with everything there is, after each change. */
  readonly onChange: (items: ReadonlyMap<string, T>) => void;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

const metadataSchema = z.object({ namespace: z.string().default(''), name: z.string(), resourceVersion: z.string() });
const objectSchema = z.object({ metadata: metadataSchema });
const listSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }), items: z.array(z.json()) });
const eventSchema = z.object({ type: z.string(), object: z.json() });
const retryMs = { first: 1000, most: 30_000 };

/**
 * Keeps a copy of a collection by list and watch, for ever: what can not be read now is tried again, with the copy as it
 * was. An object that makes no sense is left out, with a line that says so.
 */
export async function reflect<T>(options: ReflectorOptions<T>): Promise<void> {
  const { path, log, signal } = options;
  let waitMs = retryMs.first;
  let reported = '';
  const onLists = (): void => {
    if (reported !== '') log(`${path}: read again`);
    reported = '';
    waitMs = retryMs.first;
  };
  while (!signal.aborted)
    try {
      await listAndWatch(options, onLists);
    } catch (error) {
      if (signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      if (message !== reported) log(`${path}: ${message}; what was known stays, and it is tried again`);
      reported = message;
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      waitMs = Math.min(retryMs.most, 2 * waitMs);
    }
}

/** Ends by an error only: a watch that the server ends is asked for again from where it was. */
async function listAndWatch<T>(options: ReflectorOptions<T>, onLists: () => void): Promise<never> {
  const { api, path, onChange, signal, watchSeconds } = options;
  const list = listSchema.parse(JSON.parse(await api.get(path, signal)));
  const copy = new Copy(options);
  for (const item of list.items) copy.put(item);
  onLists();
  onChange(copy.items);
  let version = list.metadata.resourceVersion;
  for (;;) {
    const query = `watch=true&resourceVersion=${version}&timeoutSeconds=${watchSeconds}`;
    const startedMs = performance.now();
    for await (const line of api.lines(`${path}?${query}`, signal)) {
      const { type, object } = eventSchema.parse(JSON.parse(line));
      if (type === 'ERROR') throw new Error('the watch is too far behind');
      version = type === 'DELETED' ? copy.delete(object) : copy.put(object);
      onChange(copy.items);
    }
    // One that ends at once must not be asked for in a loop.
    if (performance.now() - startedMs < retryMs.first) await sleep(retryMs.first, undefined, { signal });
  }
}

/** What is known, by `namespace/name`. Both changes answer the object's version. */
class Copy<T> {
  readonly items = new Map<string, T>();
  readonly #options: Pick<ReflectorOptions<T>, 'path' | 'schema' | 'log'>;

  constructor(options: Pick<ReflectorOptions<T>, 'path' | 'schema' | 'log'>) {
    this.#options = options;
  }

  put(object: z.core.util.JSONType): string {
    const { path, schema, log } = this.#options;
    const { metadata } = objectSchema.parse(object);
    const key = `${metadata.namespace}/${metadata.name}`;
    const parsed = schema.safeParse(object);
    if (parsed.success) this.items.set(key, parsed.data);
    else {
      this.items.delete(key);
      log(`${path}: ${key} left out: ${z.prettifyError(parsed.error).replaceAll(/\s+/g, ' ')}`);
    }
    return metadata.resourceVersion;
  }

  delete(object: z.core.util.JSONType): string {
    const { metadata } = objectSchema.parse(object);
    this.items.delete(`${metadata.namespace}/${metadata.name}`);
    return metadata.resourceVersion;
  }
}
