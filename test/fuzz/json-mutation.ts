import type { Dice } from './dice.ts';

/** JSON as it is written: keys may occur twice, `__proto__` is a key like others, and a piece may be no JSON at all. */
export type Node =
  | { kind: 'object'; entries: [string, Node][] }
  | { kind: 'array'; items: Node[] }
  | { kind: 'text'; value: string }
  | { kind: 'raw'; text: string };

export function toNode(value: unknown): Node {
  if (Array.isArray(value)) return { kind: 'array', items: value.map(toNode) };
  if (typeof value === 'object' && value !== null)
    return {
      kind: 'object',
      entries: Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([key, member]) => [key, toNode(member)]),
    };
  return typeof value === 'string' ? { kind: 'text', value } : { kind: 'raw', text: JSON.stringify(value) ?? 'null' };
}

export function printNode(node: Node): string {
  switch (node.kind) {
    case 'object':
      return `{${node.entries.map(([key, value]) => `${JSON.stringify(key)}:${printNode(value)}`).join(',')}}`;
    case 'array':
      return `[${node.items.map(printNode).join(',')}]`;
    case 'text':
      return JSON.stringify(node.value);
    case 'raw':
      return node.text;
  }
}

/** Where a node is, and how to put another there or take it away. */
interface Place {
  readonly node: Node;
  readonly depth: number;
  replace(by: Node): void;
  /** Undefined at the root. */
  readonly remove: (() => void) | undefined;
  readonly repeat: ((by: Node) => void) | undefined;
  readonly rename: ((key: string) => void) | undefined;
}

function placesOf(root: { node: Node }): readonly Place[] {
  const places: Place[] = [
    {
      node: root.node,
      depth: 0,
      replace: (by) => void (root.node = by),
      remove: undefined,
      repeat: undefined,
      rename: undefined,
    },
  ];
  const visit = (node: Node, depth: number): void => {
    if (node.kind === 'object')
      for (const entry of node.entries) {
        places.push({
          node: entry[1],
          depth,
          replace: (by) => void (entry[1] = by),
          remove: () => void node.entries.splice(node.entries.indexOf(entry), 1),
          repeat: (by) => void node.entries.push([entry[0], by]),
          rename: (key) => void (entry[0] = key),
        });
        visit(entry[1], depth + 1);
      }
    if (node.kind === 'array')
      for (const item of node.items) {
        places.push({
          node: item,
          depth,
          replace: (by) => void (node.items[node.items.indexOf(item)] = by),
          remove: () => void node.items.splice(node.items.indexOf(item), 1),
          repeat: (by) => void node.items.push(by),
          rename: undefined,
        });
        visit(item, depth + 1);
      }
  };
  visit(root.node, 1);
  return places;
}

const strangeKeys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', '', '\u0000', '\ud800', 'x'];
const strangeNumbers = [
  '-1',
  '0',
  '-0',
  '0.5',
  '1e308',
  '1e999',
  '-1e999',
  '9007199254740993',
  '99999999999999999999',
  '2147483648',
  '4294967296',
  '1e-400',
];
const noJson = ['NaN', 'Infinity', 'undefined', '0x10', "'x'", '01', '[1,]', '{,}', '/**/1', '"\u0001"', '"\\ud800"'];
const otherTypes = ['null', 'true', 'false', '0', '1', '""', '"x"', '[]', '{}', '[null]', '[[]]', '{"a":1}', '[{}]'];
const depth = 10_000;

/** A text that readers stumble over. */
export function strangeText(dice: Dice, text: string): string {
  switch (
    dice.weighted({ replace: 4, append: 2, prepend: 2, cut: 2, case: 1, long: 1, insert: 3, double: 1, unit: 1 })
  ) {
    case 'replace':
      return dice.pick(pieces);
    case 'append':
      return text + dice.pick(pieces);
    case 'prepend':
      return dice.pick(pieces) + text;
    case 'cut':
      return text.slice(0, dice.below(text.length + 1));
    case 'case':
      return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
    case 'long':
      return (text === '' ? 'x' : text).repeat(
        Math.ceil(dice.pick([300, 300, 300, 5_000, 5_000, 100_000]) / Math.max(1, text.length)),
      );
    case 'insert': {
      const at = dice.below(text.length + 1);
      return text.slice(0, at) + dice.pick(pieces) + text.slice(at);
    }
    case 'double':
      return text + text;
    case 'unit':
      return `${text.replace(/[^\d.]/g, '')}${dice.pick(['KiB', 'gi', 'e9', ' ', 's', 'Zi', 'µ'])}`;
  }
}

const pieces = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\udc00\ud800',
  '\ufeff',
  '\u202e',
  '\n',
  '\r\nx: y',
  '../',
  '/',
  '%2e%2e%2f',
  '%00',
  '%',
  '?',
  '#',
  '\\',
  ',',
  '=',
  '"',
  "'",
  '$(PATH)',
  '${jndi}',
  '{{x}}',
  '<script>',
  '__proto__',
  'null',
  'NaN',
  'Infinity',
  '-1',
  '1e999',
  '9999-99-99T99:99:99Z',
  '+275760-09-13T00:00:00.001Z',
  '0000-00-00T00:00:00Z',
  '2026-11-23',
  'Ünïcödé',
  '💥',
  'İ',
];

function deepNode(dice: Dice, inner: string): Node {
  return dice.chance(0.5)
    ? { kind: 'raw', text: '['.repeat(depth) + inner + ']'.repeat(depth) }
    : { kind: 'raw', text: '{"a":'.repeat(depth) + inner + '}'.repeat(depth) };
}

interface Site {
  readonly place: Place;
  readonly places: readonly Place[];
  readonly dice: Dice;
}

/** Each does one thing to a place, or says that it can't. */
const operations = {
  remove: ({ place }: Site): boolean => {
    place.remove?.();
    return place.remove !== undefined;
  },
  repeat: ({ place, dice }: Site): boolean => {
    place.repeat?.(dice.chance(0.5) ? structuredClone(place.node) : { kind: 'raw', text: dice.pick(otherTypes) });
    return place.repeat !== undefined;
  },
  retype: ({ place, dice }: Site): boolean => {
    place.replace({ kind: 'raw', text: dice.pick(otherTypes) });
    return true;
  },
  nest: ({ place, dice }: Site): boolean => {
    const key = dice.pick(['a', '0', 'value', '__proto__']);
    place.replace(
      dice.chance(0.5) ? { kind: 'array', items: [place.node] } : { kind: 'object', entries: [[key, place.node]] },
    );
    return true;
  },
  deepen: ({ place, dice }: Site): boolean => {
    place.replace(deepNode(dice, dice.chance(0.5) ? '1' : ''));
    return true;
  },
  rename: ({ place, dice }: Site): boolean => {
    place.rename?.(dice.pick(strangeKeys));
    return place.rename !== undefined;
  },
  strangeKey: ({ place, dice }: Site): boolean => {
    if (place.node.kind !== 'object') return false;
    place.node.entries.push([dice.pick(strangeKeys), { kind: 'raw', text: dice.pick(otherTypes) }]);
    return true;
  },
  number: ({ place, dice }: Site): boolean => {
    if (place.node.kind !== 'raw') return false;
    place.replace({ kind: 'raw', text: dice.pick(strangeNumbers) });
    return true;
  },
  text: ({ place, dice }: Site): boolean => {
    if (place.node.kind !== 'text') return false;
    place.replace({ kind: 'text', value: strangeText(dice, place.node.value) });
    return true;
  },
  noJson: ({ place, dice }: Site): boolean => {
    place.replace({ kind: 'raw', text: dice.pick(noJson) });
    return true;
  },
  copy: ({ place, places, dice }: Site): boolean => {
    place.replace(structuredClone(dice.pick(places).node));
    return true;
  },
  many: ({ place }: Site): boolean => {
    const { node } = place;
    if (printNode(node).length > 60) return false;
    place.replace({ kind: 'array', items: Array.from({ length: 6_000 }, () => node) });
    return true;
  },
};

const weights: Readonly<Record<keyof typeof operations, number>> = {
  remove: 8,
  repeat: 4,
  retype: 10,
  nest: 4,
  deepen: 0.7,
  rename: 4,
  strangeKey: 4,
  number: 6,
  text: 10,
  noJson: 1,
  copy: 4,
  many: 0.2,
};

/** Members near the root are few, and matter most: half of all mutations are theirs. */
function pickPlace(places: readonly Place[], dice: Dice): Place {
  if (dice.chance(0.5)) return dice.pick(places);
  const deepest = 1 + dice.below(2);
  return dice.pick(places.filter(({ depth }) => depth <= deepest));
}

/** Does one thing to a document, in place; the word says what. */
export function mutateNode(root: { node: Node }, dice: Dice): string {
  for (;;) {
    const places = placesOf(root);
    const operation = dice.weighted(weights);
    if (operations[operation]({ place: pickPlace(places, dice), places, dice })) return operation;
  }
}
