import type { Dice } from '../dice.ts';

/**
 * Bytes that can't be taken for an answer of this document, whoever reads them: no JSON, another type, or a member
 * missing without which it says nothing. `vital` names such members, `list[]` for one in each item.
 */
export function garbageOf(
  document: unknown,
  vital: readonly string[],
  dice: Dice,
): { readonly body: Buffer; readonly did: string } {
  const text = JSON.stringify(document);
  const kind = dice.weighted({ cut: 3, page: 2, empty: 1, type: 3, vital: 6, deep: 1, binary: 1, text: 1 });
  const as = (body: string | Buffer): { readonly body: Buffer; readonly did: string } => ({
    body: Buffer.from(body),
    did: `garbage-${kind}`,
  });
  switch (kind) {
    case 'cut':
      return as(text.slice(0, dice.below(Math.max(1, text.length - 1))));
    case 'page':
      return as('<html><body>502 Bad Gateway</body></html>');
    case 'empty':
      return as('');
    case 'type':
      return as(
        dice.pick(['null', '[]', '{}', 'true', '0', '"x"', '[{}]', '{"value":null}', '{"items":null}', '{"error":{}}']),
      );
    case 'vital':
      return as(vital.length === 0 ? '{}' : JSON.stringify(without(document, dice.pick(vital), dice)));
    case 'deep':
      return as('['.repeat(10_000) + ']'.repeat(10_000));
    case 'binary':
      return as(Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0xff, 0xfe, 0x00]));
    case 'text':
      return as('OK');
  }
}

/** The document without a member, or with something in its place that it can never be. */
function without(document: unknown, path: string, dice: Dice): unknown {
  const [name = '', ...rest] = path.split('.');
  const isEach = name.endsWith('[]');
  const key = isEach ? name.slice(0, -2) : name;
  if (typeof document !== 'object' || document === null) return document;
  const before: unknown = Reflect.get(document, key);
  if (rest.length === 0) return { ...document, [key]: dice.pick([undefined, 7, true, [[]], [7]]) };
  const after =
    isEach && Array.isArray(before)
      ? firstWithout(before, rest.join('.'), dice)
      : without(before, rest.join('.'), dice);
  return { ...document, [key]: after };
}

/** An empty list has nothing to lose: then it is no list. */
const firstWithout = (items: readonly unknown[], path: string, dice: Dice): unknown =>
  items.length === 0 ? { length: 0 } : items.map((item, index) => (index === 0 ? without(item, path, dice) : item));
