import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Where each room may import from; its own room is always allowed. Of `node:` core uses only pure functions (hashes, isIP). */
const allowed: readonly {
  readonly room: string;
  readonly may: readonly string[];
  readonly packages: readonly (string | RegExp)[];
}[] = [
  { room: 'shared/core', may: [], packages: ['node:crypto', 'node:net'] },
  { room: 'shared/wire', may: ['shared/core'], packages: ['zod', /^node:/] },
  { room: 'shared/ports', may: ['shared/core', 'shared/wire'], packages: [] },
  {
    room: 'shared/app/compose.ts',
    may: ['shared/app', 'shared/core', 'shared/wire', 'shared/ports', 'shared/adapters'],
    packages: [/^node:/, '@azure/core-auth'],
  },
  {
    // Of package.json its version.
    room: 'shared/app',
    may: ['shared/core', 'shared/wire', 'shared/ports', 'package.json'],
    packages: ['node:crypto', 'node:async_hooks', 'p-limit'],
  },
  { room: 'shared/adapters', may: ['shared/ports', 'shared/wire', 'shared/core'], packages: [/./] },
  { room: 'functions', may: ['shared/app'], packages: ['@azure/functions'] },
  { room: 'infra/cluster', may: ['shared/core', 'shared/wire', 'shared/adapters', 'shared/ports'], packages: [/./] },
  { room: 'infra/package', may: ['rolldown.config.ts', 'infra/package/file-lock.ts'], packages: [/./] },
  { room: 'infra/local', may: ['shared', 'infra/cluster', 'infra/package'], packages: [/./] },
];

const files = allowed
  .map((rule) => rule.room)
  .filter((room) => !room.endsWith('.ts'))
  .flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((file) => join(room, file)),
  )
  .filter((file) => file.endsWith('.ts'));

/** Static and dynamic imports, and re-exports. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)[^'";]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function violations(file: string): readonly string[] {
  const rule = allowed.find(({ room }) => file === room || file.startsWith(`${room}/`));
  if (rule === undefined) return [`${file} is in no room`];
  const home = rule.room.endsWith('.ts') ? dirname(rule.room) : rule.room;
  return importsOf(file)
    .filter((target) => {
      if (!target.startsWith('.'))
        return !rule.packages.some((name) => (typeof name === 'string' ? name === target : name.test(target)));
      const place = relative(root, normalize(join(root, dirname(file), target)));
      return ![home, ...rule.may].some((room) => place === room || place.startsWith(`${room}/`));
    })
    .map((target) => `${file} imports ${target}`);
}

describe('imports point one way: functions → app → {core, wire, ports}; adapters → {ports, wire, core}; core → core', () => {
  it('finds the files', () => expect(files.length).toBeGreaterThan(50));
  it('nothing imports against the direction', () => expect(files.flatMap(violations)).toEqual([]));
  it('core has no clock, randomness, environment or waiting', () => {
    const impure =
      /Date\.now|new Date\(\)|Math\.random|process\.|performance\.|\basync\b|\bawait\b|setTimeout|console\./;
    const offenders = files
      .filter((file) => file.startsWith('shared/core/'))
      .filter((file) => impure.test(readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')));
    expect(offenders).toEqual([]);
  });
  it('functions are at most 40 lines', () => {
    const long = files
      .filter((file) => file.startsWith('functions/'))
      .filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 41);
    expect(long).toEqual([]);
  });
});
