/** RFC 6902, as `kubectl patch --type=json` and client libraries send it. */
import { isJsonObject } from '../../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../../shared/core/json.ts';
import { isSame, textAt } from './json-access.ts';

export type PatchOutcome =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly message: string };

type Change = { readonly kind: 'add' | 'replace'; readonly value: Json } | { readonly kind: 'remove' };

class NotApplicable extends Error {}

/** The patched object, or why an operation does not apply; nothing is done by halves. */
export function applyJsonPatch(target: JsonObject, operations: readonly Json[]): PatchOutcome {
  try {
    let result: Json = target;
    for (const operation of operations) result = applyOne(result, operation);
    if (!isJsonObject(result)) return { ok: false, message: 'the patched value is no object' };
    return { ok: true, value: result };
  } catch (error) {
    if (error instanceof NotApplicable) return { ok: false, message: error.message };
    throw error;
  }
}

function applyOne(target: Json, operation: Json): Json {
  if (!isJsonObject(operation)) throw new NotApplicable('an operation is no object');
  const path = pointer(textAt(operation, 'path'));
  const value = operation['value'] ?? null;
  switch (textAt(operation, 'op')) {
    case 'add':
      return write(target, path, { kind: 'add', value });
    case 'replace':
      return write(target, path, { kind: 'replace', value });
    case 'remove':
      return write(target, path, { kind: 'remove' });
    case 'test':
      if (!isSame(read(target, path), value))
        throw new NotApplicable(`testing value ${textAt(operation, 'path')} failed`);
      return target;
    case 'copy':
      return write(target, path, { kind: 'add', value: read(target, pointer(textAt(operation, 'from'))) });
    case 'move': {
      const from = pointer(textAt(operation, 'from'));
      return write(write(target, from, { kind: 'remove' }), path, { kind: 'add', value: read(target, from) });
    }
    default:
      throw new NotApplicable(`unknown operation "${textAt(operation, 'op')}"`);
  }
}

function pointer(path: string): readonly string[] {
  if (path === '') return [];
  if (!path.startsWith('/')) throw new NotApplicable(`"${path}" is no JSON pointer`);
  return path
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(target: Json, path: readonly string[]): Json {
  let value: Json | undefined = target;
  for (const part of path)
    if (Array.isArray(value)) value = value[indexIn(value, part)];
    else value = isJsonObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  if (value === undefined) throw new NotApplicable(`the path "/${path.join('/')}" does not exist`);
  return value;
}

function write(target: Json, path: readonly string[], change: Change): Json {
  const [part, ...rest] = path;
  if (part === undefined) {
    if (change.kind === 'remove') throw new NotApplicable('the whole object cannot be removed');
    return change.value;
  }
  if (Array.isArray(target)) return writeElement(target, part, { rest, change });
  if (!isJsonObject(target)) throw new NotApplicable(`the path "${path.join('/')}" does not exist`);
  const before = Object.hasOwn(target, part) ? target[part] : undefined;
  if (before === undefined && (rest.length > 0 || change.kind !== 'add'))
    throw new NotApplicable(`the path "${path.join('/')}" does not exist`);
  if (rest.length === 0 && change.kind === 'remove')
    return Object.fromEntries(Object.entries(target).filter(([name]) => name !== part));
  return { ...target, [part]: write(before ?? null, rest, change) };
}

function writeElement(
  list: readonly Json[],
  part: string,
  { rest, change }: { readonly rest: readonly string[]; readonly change: Change },
): Json {
  const isLast = rest.length === 0;
  if (isLast && change.kind === 'add') {
    const index = part === '-' ? list.length : indexIn([...list, null], part);
    return list.toSpliced(index, 0, change.value);
  }
  const index = indexIn(list, part);
  if (isLast && change.kind === 'remove') return list.toSpliced(index, 1);
  return list.with(index, write(list[index] ?? null, rest, change));
}

function indexIn(list: readonly Json[], part: string): number {
  const index = /^(0|[1-9]\d*)$/.test(part) ? Number(part) : Number.NaN;
  if (!(index < list.length)) throw new NotApplicable(`"${part}" is no index of the list`);
  return index;
}
