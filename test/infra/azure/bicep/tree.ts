/** Syntax trees of Bicep files, by tree-sitter's grammar. */
import { createRequire } from 'node:module';
import { Language, type Node, Parser } from 'web-tree-sitter';

export type { Node };

const require = createRequire(import.meta.url);
await Parser.init();
const language = await Language.load(require.resolve('tree-sitter-bicep/tree-sitter-bicep.wasm'));

/** The root of a Bicep file's tree. What the grammar does not know of parameter files (`param x = 1`) is read as `var`. */
export function parseBicep(text: string): Node {
  const parser = new Parser();
  parser.setLanguage(language);
  const isParameterFile = /^using /m.test(text);
  // As many characters, so that places stay right.
  const tree = parser.parse(isParameterFile ? text.replaceAll(/^param(?= \w+ =)/gm, 'var  ') : text);
  if (tree === null) throw new Error('the parser gave no tree');
  return tree.rootNode;
}

/** Every node of a tree, parents first. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children) if (child !== null) yield* nodesOf(child);
}

export const namedChildren = (node: Node): readonly Node[] =>
  node.namedChildren.filter((child) => child !== null && !child.type.endsWith('comment'));

/** Where a node stands, for people: `12: text`. */
export const placeOf = (node: Node): string => `${node.startPosition.row + 1}: ${node.text.split('\n', 1)[0] ?? ''}`;

/** The text of a string without its quotes. */
export const stringOf = (node: Node | undefined): string =>
  (node?.text ?? '').replace(/^'|'$/g, '').replaceAll("\\'", "'");

/** What nodes of the tree are broken. */
export const syntaxFaults = (root: Node): readonly string[] =>
  [...nodesOf(root)].filter((node) => node.isError || node.isMissing).map(placeOf);

/** The members of an object, by name; interpolated names are left out. */
export function membersOf(object: Node): ReadonlyMap<string, Node> {
  const pairs = namedChildren(object)
    .filter((child) => child.type === 'object_property')
    .map((property) => {
      const [key, value] = namedChildren(property);
      return [stringOf(key), value] as const;
    });
  return new Map(pairs.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])));
}
