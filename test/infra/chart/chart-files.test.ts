import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { relayNodeFlags } from '../../../infra/local/up/relay.ts';

const repository = join(import.meta.dirname, '../../..');
const chart = join(repository, 'infra/cluster/chart');
const read = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8');

interface Schema {
  readonly type?: string;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly enum?: readonly unknown[];
  readonly definitions?: Readonly<Record<string, Schema>>;
}

const schema: Schema = JSON.parse(read(chart, 'values.schema.json'));
const values = parse(read(chart, 'values.yaml'));

const resolved = (part: Schema): Schema => {
  const name = part.$ref?.replace('#/definitions/', '');
  return name === undefined ? part : (schema.definitions?.[name] ?? {});
};

/** Paths of all members that the schema knows, but for those in lists. */
function members(part: Schema, path = ''): readonly string[] {
  const { properties = {} } = resolved(part);
  return Object.entries(properties).flatMap(([name, member]) => [
    `${path}${name}`,
    ...members(member, `${path}${name}.`),
  ]);
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function membersOf(value: Record<string, unknown>, path = ''): readonly string[] {
  return Object.entries(value).flatMap(([name, member]) => [
    `${path}${name}`,
    ...(isMap(member) ? membersOf(member, `${path}${name}.`) : []),
  ]);
}

/** Every object of the schema that says neither what it may hold nor that it may hold anything. */
function lax(part: Schema, path = '$'): readonly string[] {
  const here = part.properties !== undefined && part.additionalProperties !== false ? [path] : [];
  const below = [
    ...Object.entries(part.properties ?? {}),
    ...Object.entries(part.definitions ?? {}),
    ...(part.items === undefined ? [] : [['[]', part.items] as const]),
  ];
  return [...here, ...below.flatMap(([name, member]) => lax(member, `${path}.${name}`))];
}

describe('the values of the chart', () => {
  /** Helm's own, and what has no default. */
  const withoutDefault = ['global', 'serving.issuerRef.name', 'serving.issuerRef.kind', 'serving.issuerRef.group'];
  /** Maps that may hold anything. */
  const free = /^resources\.(requests|limits)\./;

  it('have a default or a line in the schema that says why not', () => {
    const known = members(schema).filter((path) => !withoutDefault.includes(path));
    const given = membersOf(values).filter((path) => !free.test(path));
    expect(given.toSorted()).toEqual(known.toSorted());
  });

  it('are all known by name', () => {
    expect(lax(schema)).toEqual([]);
  });

  it('are each explained', () => {
    const lines = read(chart, 'values.yaml').split('\n');
    const bare = Object.keys(values).filter(
      (name) => lines[lines.findIndex((line) => line.startsWith(`${name}:`)) - 1]?.startsWith('#') !== true,
    );
    expect(bare).toEqual([]);
  });
});

describe('the chart', () => {
  it('has the version of the package', () => {
    const { version } = JSON.parse(read(repository, 'package.json'));
    expect(parse(read(chart, 'Chart.yaml'))).toMatchObject({ version, appVersion: version, kubeVersion: '>=1.30-0' });
  });

  it('and its Dockerfile run the relay with the flags of the laptop cloud', () => {
    const flags = relayNodeFlags.map((flag) => `"${flag}"`).join(', ');
    expect(read(chart, 'templates/_relay.tpl')).toContain(`["node", ${flags}, {{ include "sk.bundlePath"`);
    expect(read(chart, '../Dockerfile')).toContain(`["node", ${flags}, "/opt/relay/relay.mjs"]`);
  });

  it('gives each right by names, or for what has none', () => {
    const unnamed = readdirSync(join(chart, 'templates'))
      .flatMap((file) =>
        read(chart, 'templates', file)
          .split(/\n(?= {2}- apiGroups)/)
          .slice(1),
      )
      .map((rule) => rule.split(/\n(?! {4})/)[0] ?? '')
      .filter((rule) => !rule.includes('resourceNames'))
      .map((rule) => `${/resources: \[(.*)\]/.exec(rule)?.[1]}: ${/verbs: \[(.*)\]/.exec(rule)?.[1]}`);
    expect(unnamed.filter((rule) => !rule.startsWith('undefined')).toSorted()).toEqual([
      'endpointslices: list, watch',
      'events: create, patch',
      'pods/eviction: create',
      'pods: list, delete',
      'pods: list, watch',
      'services, endpoints, nodes: list, watch',
      'subjectaccessreviews: create',
      'tokenreviews: create',
    ]);
  });
});
