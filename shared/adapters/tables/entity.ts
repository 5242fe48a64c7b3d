import * as z from 'zod';
import type { Row } from './row-table.ts';

/** A string property holds 64 KiB in UTF-16 (32,768 characters); longer JSON goes on in the next property. */
const maxPropertyLength = 30_000;

/** Properties `body`, `body1`, `body2`… and, for pod rows, `due`. */
export function packEntity(row: { readonly text: string; readonly due?: string | undefined }): Record<string, string> {
  const properties: Record<string, string> = {};
  for (let index = 0; index === 0 || index * maxPropertyLength < row.text.length; index += 1)
    properties[property(index)] = row.text.slice(index * maxPropertyLength, (index + 1) * maxPropertyLength);
  if (row.due !== undefined) properties['due'] = row.due;
  return properties;
}

const entity = z.looseObject({ rowKey: z.string(), etag: z.string() });

/** The row of an entity; one with properties of other types is a row of garbage text. */
export function unpackEntity(value: unknown): Row | undefined {
  const parsed = entity.safeParse(value);
  if (!parsed.success) return undefined;
  const texts: string[] = [];
  for (let index = 0; ; index += 1) {
    const part = parsed.data[property(index)];
    if (typeof part !== 'string') break;
    texts.push(part);
  }
  const { rowKey, etag, due } = parsed.data;
  return { rowKey, etag, text: texts.join(''), ...(typeof due === 'string' ? { due } : {}) };
}

const property = (index: number): string => (index === 0 ? 'body' : `body${index}`);
