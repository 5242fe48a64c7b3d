/** Who names whom in a Bicep file. */
import type { BicepFile } from './model.ts';
import { namedChildren, type Node, nodesOf, placeOf } from './tree.ts';

/** Functions of Bicep that are not of this project's making; a name that is not here is a slip, or has to be added. */
const functions = new Set(
  `cidrSubnet contains empty endsWith environment fail first guid json join last length loadJsonContent loadTextContent
  padLeft range replace resourceGroup resourceId split string subscription subscriptionResourceId substring toLower
  toObject take union uniqueString readEnvironmentVariable description allowed minValue maxValue minLength maxLength
  secure metadata map filter format concat items reduce`.split(/\s+/),
);

/** Identifiers that stand for a symbol: no member's name, no function's, no declaration's own. */
export function referencesOf(node: Node): readonly Node[] {
  return [...nodesOf(node)].filter((child) => child.type === 'identifier' && isReference(child));
}

function isReference(node: Node): boolean {
  const { parent } = node;
  if (parent === null) return true;
  const isFirst = namedChildren(parent)[0]?.id === node.id;
  switch (parent.type) {
    case 'object_property':
    case 'lambda_expression':
      return !isFirst;
    case 'call_expression':
      return parent.childForFieldName('function')?.id !== node.id;
    case 'for_statement':
      return parent.childForFieldName('initializer')?.id !== node.id;
    case 'compatible_identifier':
    case 'metadata_declaration':
      return false;
    default:
      return !(parent.type.endsWith('_declaration') && isFirst);
  }
}

/** Names that a loop or a lambda around the node declares. */
function localsAt(node: Node): ReadonlySet<string> {
  const locals = new Set<string>();
  for (let at: Node | null = node; at !== null; at = at.parent) {
    if (at.type === 'for_statement') {
      const parts = namedChildren(at).slice(0, 1);
      for (const part of parts)
        for (const name of part.type === 'for_loop_parameters' ? namedChildren(part) : [part]) locals.add(name.text);
    }
    if (at.type === 'lambda_expression') locals.add(namedChildren(at)[0]?.text ?? '');
  }
  return locals;
}

const symbolsOf = (file: BicepFile) => [
  ...file.parameters,
  ...file.variables,
  ...file.types,
  ...file.resources,
  ...file.modules,
];

/** Symbols that nobody declared, declared twice, or never used; functions that Bicep does not have. */
export function symbolFaults(file: BicepFile): readonly string[] {
  const symbols = symbolsOf(file);
  const names = symbols.map(({ name }) => name);
  const references = referencesOf(file.root).filter((node) => !localsAt(node).has(node.text));
  const used = new Set(references.map((node) => node.text));
  const calls = [...nodesOf(file.root)].filter((node) => node.type === 'call_expression');
  const called = calls.flatMap((node) => node.childForFieldName('function') ?? []);
  return [
    ...references.filter((node) => !names.includes(node.text)).map((node) => `unknown symbol at ${placeOf(node)}`),
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} is declared twice`),
    // An existing resource may stand for the order of things only; here all have a use.
    ...symbols
      .filter(({ name, node }) => !used.has(name) && !isUsedByPlace(file, node))
      .map(({ name }) => `${name} is never used`),
    ...called
      .filter((node) => node.type === 'identifier' && !functions.has(node.text))
      .map((node) => `unknown function ${node.text}`),
  ];
}

/** A resource or module does something by standing there, and so does a value of a parameter file. */
function isUsedByPlace(file: BicepFile, node: Node): boolean {
  const isExisting = node.children.some((child) => child?.type === 'existing');
  const isDeployed = (node.type === 'resource_declaration' || node.type === 'module_declaration') && !isExisting;
  return isDeployed || (node.type === 'variable_declaration' && isValueOf(file, node));
}

/** Whether `param x = …` of a parameter file is what the tree shows as a variable. */
const isValueOf = (file: BicepFile, node: Node): boolean => file.text.slice(node.startIndex).startsWith('param');

/** Members of a resource that are known before it is deployed. */
const earlyMembers = new Set(['id', 'name', 'type', 'apiVersion']);

/** Names of variables and parameters' values that only a deployed resource or module can tell. */
function lateSymbols(file: BicepFile): ReadonlySet<string> {
  const late = new Set<string>();
  for (let size = -1; size !== late.size;) {
    size = late.size;
    for (const { name, node } of file.variables) if (isLate(file, node, late)) late.add(name);
  }
  return late;
}

function isLate(file: BicepFile, node: Node, late: ReadonlySet<string>): boolean {
  const deployed = new Set([...file.resources, ...file.modules].map(({ name }) => name));
  return referencesOf(node).some((reference) => {
    if (late.has(reference.text)) return true;
    if (!deployed.has(reference.text)) return false;
    const member = memberAfter(reference);
    return member !== undefined && !earlyMembers.has(member.name);
  });
}

/** The member that is read of a symbol (`symbol.x`, `symbol[0].x`), and how. */
function memberAfter(reference: Node): { readonly name: string; readonly isSafe: boolean } | undefined {
  const indexed = reference.parent?.type === 'subscript_expression' ? reference.parent : reference;
  const expression = indexed.parent;
  if (expression?.type !== 'member_expression' || expression.childForFieldName('object')?.id !== indexed.id)
    return undefined;
  const property = expression.childForFieldName('property');
  const between = expression.text.slice(indexed.text.length);
  return { name: property?.text ?? '', isSafe: between.startsWith('!.') || between.startsWith('.?') };
}

/** BCP120 and BCP178: names, scopes, conditions and what is looped over have to be known when the deployment starts. */
export function startFaults(file: BicepFile): readonly string[] {
  const late = lateSymbols(file);
  const conditions = [...nodesOf(file.root)]
    .filter((node) => node.type === 'if_statement')
    .flatMap((node) => namedChildren(node)[0] ?? []);
  const loops = [...nodesOf(file.root)]
    .filter((node) => node.type === 'for_statement')
    .flatMap((node) => namedChildren(node)[1] ?? []);
  const places = [...file.resources, ...file.modules].flatMap(({ body }) => [body.get('name'), body.get('scope')]);
  return [...conditions, ...loops, ...places.flatMap((node) => node ?? [])]
    .filter((node) => isLate(file, node, late))
    .map((node) => `not known at the start: ${placeOf(node)}`);
}

/** BCP318: what a conditional deployment tells is read with `!.` or `.?`. */
export function conditionFaults(file: BicepFile): readonly string[] {
  const conditional = new Set(
    [...file.resources, ...file.modules].filter((one) => one.isConditional).map(({ name }) => name),
  );
  return referencesOf(file.root)
    .filter((node) => conditional.has(node.text) && isUnsafe(memberAfter(node)))
    .map((node) => `may be absent: ${placeOf(node.parent ?? node)}`);
}

const isUnsafe = (member: ReturnType<typeof memberAfter>): boolean =>
  member !== undefined && !member.isSafe && !earlyMembers.has(member.name);
