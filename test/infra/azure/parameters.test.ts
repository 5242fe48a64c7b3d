/** The parameter files against main.bicep, and azure.yaml against both. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { argumentsOf, modelOf, type Parameter, readBicep } from './bicep/model.ts';
import { symbolFaults } from './bicep/symbols.ts';
import { namedChildren, type Node, stringOf, syntaxFaults } from './bicep/tree.ts';

const repository = join(import.meta.dirname, '..', '..', '..');
const root = join(repository, 'infra', 'azure');
const { parameters } = readBicep(join(root, 'main.bicep'));
const files = globSync('*.bicepparam', { cwd: root }).sort();

interface Assignment {
  readonly name: string;
  readonly value: Node;
}

const isAssignment = (text: string, node: Node): boolean => text.slice(node.startIndex).startsWith('param');

const assignmentsOf = (text: string): readonly Assignment[] =>
  modelOf(text)
    .variables.filter(({ node }) => isAssignment(text, node))
    .flatMap(({ name, node }) => {
      const value = namedChildren(node)[1];
      return value === undefined ? [] : [{ name, value }];
    });

const nodeTypes: Readonly<Record<string, RegExp>> = {
  string: /^(string|call_expression|identifier)$/,
  int: /^number$/,
  bool: /^boolean$/,
  object: /^object$/,
};

/** Why a value does not fit its parameter. */
function valueFault(parameter: Parameter, value: Node): string | undefined {
  const { name, type, decorators } = parameter;
  const expected = nodeTypes[type] ?? /^(array|ternary_expression)$/;
  if (!expected.test(value.type)) return `${name} is a ${type}`;
  const allowed = argumentsOf(decorators, 'allowed');
  if (allowed.length > 0 && !allowed.includes(stringOf(value))) return `${name} is one of ${allowed.join(', ')}`;
  const size = type === 'int' ? Number(value.text) : value.type === 'string' ? stringOf(value).length : undefined;
  const bound = (decorator: string, otherwise: number): number => {
    const [limit] = argumentsOf(decorators, decorator);
    return limit === undefined ? otherwise : Number(limit);
  };
  const least = Math.max(bound('minValue', -Infinity), bound('minLength', -Infinity));
  const most = Math.min(bound('maxValue', Infinity), bound('maxLength', Infinity));
  return size === undefined || (size >= least && size <= most) ? undefined : `${name} is from ${least} to ${most}`;
}

/** Parameters that a file misses, does not know, gives twice or gives wrongly. */
function parameterFaults(text: string): readonly string[] {
  const assignments = assignmentsOf(text);
  const names = assignments.map(({ name }) => name);
  const needed = parameters.filter(({ hasDefault }) => !hasDefault).map(({ name }) => name);
  return [
    ...syntaxFaults(modelOf(text).root),
    ...symbolFaults(modelOf(text)),
    ...needed.filter((name) => !names.includes(name)).map((name) => `${name} is missing`),
    ...assignments.flatMap(({ name, value }) => {
      const parameter = parameters.find((known) => known.name === name);
      return parameter === undefined ? `${name} is no parameter` : (valueFault(parameter, value) ?? []);
    }),
  ];
}

describe.each(files)('%s', (file) => {
  const text = readFileSync(join(root, file), 'utf8');

  it('uses main.bicep', () => {
    expect(/^using '(.+)'$/m.exec(text)?.[1]).toBe('./main.bicep');
  });

  it('gives what main.bicep needs, by name, kind and range', () => {
    expect(parameterFaults(text)).toEqual([]);
  });
});

describe('each check finds its fault', () => {
  const using = "using './main.bicep'\n";
  const named = `${using}param installation = 'x'\n`;
  it.each([
    ['a needed one', using, /installation is missing/],
    ['an unknown one', `${named}param colour = 'red'`, /colour is no parameter/],
    ['one given twice', `${named}param installation = 'y'`, /installation is declared twice/],
    ['text for a number', `${named}param createsPerHour = 'many'`, /createsPerHour is a int/],
    ['text for truth', `${named}param zoneRedundant = 'yes'`, /zoneRedundant is a bool/],
    ['a value that is not allowed', `${named}param instanceMemoryMB = 1024`, /instanceMemoryMB is one of 512/],
    ['a number beyond its range', `${named}param logsDailyCapMb = 5`, /logsDailyCapMb is from 30/],
    ['a text that is too long', `${using}param installation = '${'x'.repeat(25)}'`, /installation is from/],
    ['an unknown symbol', `${using}param installation = name`, /unknown symbol at 2: name/],
    ['a variable that nobody uses', `${named}var a = 1`, /a is never used/],
    ['half a file', `${named}param tags = {`, /3|2/],
  ])('%s', (_, text, sentence) => {
    expect(parameterFaults(text).join('\n')).toMatch(sentence);
  });
});

describe('azure.yaml', () => {
  const azd = parse(readFileSync(join(repository, 'azure.yaml'), 'utf8'));

  it('provisions main.bicep, with the parameter file of the same name', () => {
    expect(azd.infra).toEqual({ provider: 'bicep', path: 'infra/azure', module: 'main' });
    expect(files).toContain(`${azd.infra.module}.bicepparam`);
    expect(normalize(join(repository, azd.infra.path))).toBe(dirname(join(root, 'main.bicep')));
  });

  it('deploys what `npm run package` makes, to the app that is tagged with the service’s name', () => {
    expect(Object.values(azd.services)).toEqual([
      { project: 'dist/app', language: 'js', host: 'function', remoteBuild: false },
    ]);
    const [name] = Object.keys(azd.services);
    expect(readFileSync(join(root, 'modules', 'function-app.bicep'), 'utf8')).toContain(
      `'azd-service-name': '${name}'`,
    );
    expect([azd.hooks.prepackage.posix.run, azd.hooks.prepackage.windows.run]).toEqual([
      'npm run package',
      'npm run package',
    ]);
    const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    expect(scripts).toHaveProperty('package');
  });
});
