import * as z from 'zod';

/** A map of strings that Go leaves out when it is empty. */
export const stringMap = z
  .record(z.string(), z.string())
  .nullish()
  .transform((map) => map ?? {});

/** Go leaves empty lists out, or writes null. */
export const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

/** The members of `meta/v1.ObjectMeta` by which an object is known. */
export const identity = z.object({
  name: z.string().min(1),
  uid: z.string().min(1),
  resourceVersion: z.string().min(1),
});

const annotated = z.object({ metadata: z.object({ name: z.string().min(1), annotations: stringMap }) });

/** Name and annotations of an object of any kind, whatever else is in it. */
export const parseAnnotated = (
  json: unknown,
): { readonly name: string; readonly annotations: Readonly<Record<string, string>> } | undefined =>
  annotated.safeParse(json).data?.metadata;

/** A condition's status; the server does not check it, so an unknown word of somebody else's condition reads as `Unknown`. */
export const conditionStatus = z.enum(['True', 'False', 'Unknown']).catch('Unknown');

/** One page of a list. */
export interface ListPage<T> {
  readonly items: readonly T[];
  /** Token of the next page; absent on the last. */
  readonly continueToken?: string;
}

const page = z.object({
  kind: z.string(),
  metadata: z.object({ continue: z.string().optional() }),
  items: z.array(z.unknown()),
});

/** A page of `kind`, or undefined when it is another kind or one item is not readable: a partial list is never returned. */
export function parseListPage<T>(
  json: unknown,
  kind: string,
  parseItem: (item: unknown) => T | undefined,
): ListPage<T> | undefined {
  const parsed = page.safeParse(json);
  if (!parsed.success || parsed.data.kind !== kind) return undefined;
  const items: T[] = [];
  for (const item of parsed.data.items) {
    const value = parseItem(item);
    if (value === undefined) return undefined;
    items.push(value);
  }
  const next = parsed.data.metadata.continue;
  return next === undefined || next === '' ? { items } : { items, continueToken: next };
}

const anyObject = z.object({ kind: z.string().min(1) });

/** True for an API object of any kind, when its content does not matter; undefined otherwise. */
export const parseAnyObject = (json: unknown): true | undefined =>
  anyObject.safeParse(json).success ? true : undefined;
