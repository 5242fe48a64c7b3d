import * as z from 'zod';

/** One line of a watch, as far as a reflector reads it. */
export type WatchEvent =
  | { readonly kind: 'changed' | 'deleted'; readonly resourceVersion: string; readonly object: unknown }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string }
  /** `code` 410: the resourceVersion is too old. */
  | { readonly kind: 'error'; readonly code: number; readonly message: string }
  /** Not what the API promises: nothing after it can be trusted. */
  | { readonly kind: 'garbage' };

const line = z.object({ type: z.string(), object: z.unknown() });
const versioned = z.object({ metadata: z.object({ resourceVersion: z.string().min(1) }) });
const status = z.object({ code: z.number().catch(0), message: z.string().catch('') });

/** Reads a line of `watch=true`. Never throws. */
export function parseWatchEvent(text: string): WatchEvent {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'garbage' };
  }
  const event = line.safeParse(json);
  if (!event.success) return { kind: 'garbage' };
  const { type, object } = event.data;
  if (type === 'ERROR') {
    const { code, message } = status.catch({ code: 0, message: '' }).parse(object);
    return { kind: 'error', code, message };
  }
  const parsed = versioned.safeParse(object);
  if (!parsed.success) return { kind: 'garbage' };
  const { resourceVersion } = parsed.data.metadata;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { kind: 'changed', resourceVersion, object };
    case 'DELETED':
      return { kind: 'deleted', resourceVersion, object };
    case 'BOOKMARK':
      return { kind: 'bookmark', resourceVersion };
    default:
      return { kind: 'garbage' };
  }
}
