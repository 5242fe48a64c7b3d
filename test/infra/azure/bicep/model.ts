/** What a Bicep file declares. */
import { readFileSync } from 'node:fs';
import { membersOf, namedChildren, type Node, nodesOf, parseBicep, stringOf } from './tree.ts';

export interface Declaration {
  readonly name: string;
  readonly node: Node;
  /** Calls of the decorators above it. */
  readonly decorators: readonly Node[];
}

export interface Parameter extends Declaration {
  readonly type: string;
  readonly hasDefault: boolean;
}

export interface Resource extends Declaration {
  readonly type: string;
  readonly apiVersion: string;
  readonly isExisting: boolean;
  readonly isConditional: boolean;
  readonly body: ReadonlyMap<string, Node>;
}

export interface Module extends Declaration {
  readonly path: string;
  readonly isConditional: boolean;
  readonly body: ReadonlyMap<string, Node>;
  readonly params: ReadonlyMap<string, Node>;
}

export interface BicepFile {
  readonly root: Node;
  readonly text: string;
  readonly targetScope: string;
  readonly parameters: readonly Parameter[];
  readonly variables: readonly Declaration[];
  readonly types: readonly Declaration[];
  readonly resources: readonly Resource[];
  readonly modules: readonly Module[];
  readonly outputs: readonly Declaration[];
}

export const readBicep = (path: string): BicepFile => modelOf(readFileSync(path, 'utf8'));

/** What a text declares. In a parameter file the parameters' values are `variables`. */
export function modelOf(text: string): BicepFile {
  const root = parseBicep(text);
  const declarations = declarationsOf(root);
  const of = (type: string): readonly Declaration[] => declarations.filter(({ node }) => node.type === type);
  const scope = namedChildren(root).find((node) => node.type === 'target_scope_assignment');
  return {
    root,
    text,
    targetScope: stringOf(scope === undefined ? undefined : namedChildren(scope)[0]),
    parameters: of('parameter_declaration').map((declaration) => {
      const [, type, value] = namedChildren(declaration.node);
      return { ...declaration, type: type?.text ?? '', hasDefault: value !== undefined };
    }),
    variables: of('variable_declaration'),
    types: of('type_declaration'),
    resources: of('resource_declaration').map(resourceOf),
    modules: of('module_declaration').map(moduleOf),
    outputs: of('output_declaration'),
  };
}

function declarationsOf(root: Node): readonly Declaration[] {
  let decorators: readonly Node[] = [];
  const declarations: Declaration[] = [];
  for (const node of namedChildren(root)) {
    if (node.type === 'decorators') {
      decorators = [...decorators, ...namedChildren(node).flatMap(namedChildren)];
      continue;
    }
    if (node.type.endsWith('_declaration')) {
      declarations.push({ name: namedChildren(node)[0]?.text ?? '', node, decorators });
    }
    decorators = [];
  }
  return declarations;
}

function resourceOf(declaration: Declaration): Resource {
  const [, type] = namedChildren(declaration.node);
  const [name = '', apiVersion = ''] = stringOf(type).split('@');
  const isExisting = declaration.node.children.some((child) => child?.type === 'existing');
  return { ...declaration, type: name, apiVersion, isExisting, ...bodyOf(declaration.node) };
}

function moduleOf(declaration: Declaration): Module {
  const [, path] = namedChildren(declaration.node);
  const { body, isConditional } = bodyOf(declaration.node);
  const params = body.get('params');
  return {
    ...declaration,
    path: stringOf(path),
    isConditional,
    body,
    params: params === undefined ? new Map() : membersOf(params),
  };
}

function bodyOf(node: Node): { readonly body: ReadonlyMap<string, Node>; readonly isConditional: boolean } {
  const isConditional = [...nodesOf(node)].some(({ type }) => type === 'if_statement');
  const object = outermostObject(node);
  return { body: object === undefined ? new Map() : membersOf(object), isConditional };
}

/** The object of `= {…}`, `= if (…) {…}`, `= [for x in y: {…}]` and `= [for x in y: if (…) {…}]`. */
function outermostObject(node: Node): Node | undefined {
  const value = namedChildren(node).at(-1);
  return value === undefined || value.type === 'object' ? value : outermostObject(value);
}

/** The text of `@description('…')`; '' without one. */
export const descriptionOf = ({ decorators }: Pick<Declaration, 'decorators'>): string =>
  argumentsOf(decorators, 'description')[0] ?? '';

/** The arguments of a decorator, each without quotes; none without it. */
export function argumentsOf(decorators: readonly Node[], name: string): readonly string[] {
  const call = decorators.find((decorator) => decorator.childForFieldName('function')?.text === name);
  const given = call?.childForFieldName('arguments');
  if (given === null || given === undefined) return [];
  return namedChildren(given).flatMap((argument) =>
    argument.type === 'array' ? namedChildren(argument).map(stringOf) : [stringOf(argument)],
  );
}
