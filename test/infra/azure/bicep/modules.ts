/** What a caller and a module have to agree on. */
import { dirname, join } from 'node:path';
import { type BicepFile, readBicep } from './model.ts';
import { nodesOf, placeOf, stringOf } from './tree.ts';

const scopeFunctions: Readonly<Record<string, string>> = {
  resourceGroup: 'resourceGroup',
  subscription: 'subscription',
};

/** Parameters that a module needs and does not get, or gets and does not know; outputs that are read and do not exist; scopes that do not fit. */
export function moduleFaults(path: string, file: BicepFile): readonly string[] {
  return file.modules.flatMap((module) => {
    const target = readBicep(join(dirname(path), module.path));
    const known = new Set(target.parameters.map(({ name }) => name));
    const needed = target.parameters.filter(({ hasDefault }) => !hasDefault).map(({ name }) => name);
    const outputs = new Set(target.outputs.map(({ name }) => name));
    const scope = scopeFunctions[/^\w+/.exec(module.body.get('scope')?.text ?? '')?.[0] ?? 'resourceGroup'];
    return [
      ...needed.filter((name) => !module.params.has(name)).map((name) => `${module.name} misses ${name}`),
      ...[...module.params.keys()].filter((name) => !known.has(name)).map((name) => `${module.name} knows no ${name}`),
      ...outputsReadOf(file, module.name)
        .filter((name) => !outputs.has(name))
        .map((name) => `${module.name} has no output ${name}`),
      ...(scope === (target.targetScope || 'resourceGroup')
        ? []
        : [`${module.name} is deployed to another scope than it is for`]),
      ...(module.body.has('name') ? [] : [`${module.name} has no name`]),
    ];
  });
}

/** Names in `symbol.outputs.name`, `symbol!.outputs.name`. */
function outputsReadOf(file: BicepFile, symbol: string): readonly string[] {
  return [...nodesOf(file.root)]
    .filter((node) => node.type === 'member_expression')
    .flatMap((node) => new RegExp(`^${symbol}!?\\.\\??outputs\\.(\\w+)$`).exec(node.text)?.[1] ?? []);
}

/** BCP: a member that is read of a module is `outputs`, or its name. */
export function memberFaults(file: BicepFile): readonly string[] {
  const modules = new Set(file.modules.map(({ name }) => name));
  return [...nodesOf(file.root)]
    .filter((node) => node.type === 'member_expression')
    .filter((node) => modules.has(node.childForFieldName('object')?.text.replace(/!$/, '') ?? ''))
    .filter((node) => !['outputs', 'name'].includes(node.childForFieldName('property')?.text ?? ''))
    .map(placeOf);
}

/** What stands in a module's name, and how long it can become: the installation's name, and `uniqueString`. */
const longest: readonly (readonly [RegExp, number])[] = [
  [/\$\{installation\}/g, 24],
  [/\$\{suffix\}|\$\{uniqueString\([^']*\)\}/g, 13],
];

/** ARM takes deployment names of 64 of letters, digits and `-_.()`. */
export function deploymentNameFaults(file: BicepFile): readonly string[] {
  return file.modules.flatMap(({ name, body }) => {
    const filled = longest.reduce(
      (text, [part, length]) => text.replaceAll(part, 'x'.repeat(length)),
      stringOf(body.get('name')),
    );
    return /^[-\w.()]{1,64}$/.test(filled) ? [] : [`${name} has a name that ARM may refuse: ${filled}`];
  });
}
