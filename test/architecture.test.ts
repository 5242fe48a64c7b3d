import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

interface Room {
  /** A folder with all that is in it, or one file; the first that holds a file is its room. */
  readonly room: string;
  /** Folders, files, or `FOLDER/*` for the files that lie right in it. Its own room is always allowed. */
  readonly may: readonly string[];
  readonly packages: readonly (string | RegExp)[];
}

const all = [/./];
/** The command line shares with the app what it knows and what it speaks, and none of its use cases. */
const sharedForCli = ['shared/core', 'shared/wire', 'shared/ports', 'shared/adapters', 'package.json'];

/** Where each room may import from: what no line allows is refused. Of `node:` core uses only pure functions (hashes, isIP). */
const rooms: readonly Room[] = [
  // What is deployed.
  { room: 'shared/core', may: [], packages: ['node:crypto', 'node:net'] },
  { room: 'shared/wire', may: ['shared/core'], packages: ['zod', /^node:/] },
  { room: 'shared/ports', may: ['shared/core', 'shared/wire'], packages: [] },
  { room: 'shared/adapters', may: ['shared/ports', 'shared/wire', 'shared/core'], packages: all },
  {
    // The composition root of the app.
    room: 'shared/app/compose.ts',
    may: ['shared/app', 'shared/core', 'shared/wire', 'shared/ports', 'shared/adapters'],
    packages: ['@azure/core-auth'],
  },
  {
    // That of the one function that answers without valid settings.
    room: 'shared/app/agent-download.ts',
    may: ['shared/app', 'shared/adapters'],
    packages: [],
  },
  {
    // Of package.json its version.
    room: 'shared/app',
    may: ['shared/core', 'shared/wire', 'shared/ports', 'package.json'],
    packages: ['node:crypto', 'node:async_hooks', 'p-limit'],
  },
  { room: 'functions', may: ['shared/app'], packages: ['@azure/functions'] },
  {
    room: 'infra/cluster',
    may: ['shared/core', 'shared/wire', 'shared/adapters', 'shared/ports', 'package.json'],
    packages: all,
  },
  // The command line: a command reads and judges through `inspect`, and imports no other command.
  ...['attach', 'detach', 'status', 'doctor', 'explain', 'cost', 'agent', 'probe'].map((command) => ({
    room: `infra/cli/${command}`,
    may: ['infra/cli/inspect', 'infra/cli/cluster', 'infra/cli/delivery', 'infra/cli/*', ...sharedForCli],
    packages: all,
  })),
  {
    room: 'infra/cli/inspect',
    may: ['infra/cli/cluster', 'infra/cli/*', 'infra/azure/roles', ...sharedForCli],
    packages: all,
  },
  { room: 'infra/cli', may: sharedForCli, packages: all },
  { room: 'infra/azure', may: [], packages: [/^node:/] },
  { room: 'infra/package', may: ['rolldown.config.ts', 'shared/core', 'shared/wire'], packages: all },
  { room: 'rolldown.config.ts', may: [], packages: all },
  // The laptop cloud, where the deployed is tried, and the tests.
  { room: 'infra/local', may: ['shared', 'infra', 'package.json'], packages: all },
  { room: 'test', may: ['shared', 'functions', 'infra', 'package.json', 'rolldown.config.ts'], packages: all },
  { room: 'vitest.config.ts', may: ['test'], packages: all },
];

const files = globSync('**/*.{ts,mts,mjs,js}', {
  cwd: root,
  exclude: (name) => /(^|\/)(node_modules|dist|\.local|\.git)$/.test(name),
});

/** Static and dynamic imports, and re-exports. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)[^'";]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

const isIn = (place: string, folder: string): boolean =>
  folder.endsWith('/*') ? dirname(place) === dirname(folder) : place === folder || place.startsWith(`${folder}/`);

function violations(file: string): readonly string[] {
  const rule = rooms.find(({ room }) => isIn(file, room));
  if (rule === undefined) return [`${file} is in no room`];
  return importsOf(file)
    .filter((target) => {
      if (!target.startsWith('.'))
        return !rule.packages.some((name) => (typeof name === 'string' ? name === target : name.test(target)));
      const place = relative(root, normalize(join(root, dirname(file), target)));
      return ![rule.room, ...rule.may].some((folder) => isIn(place, folder));
    })
    .map((target) => `${file} imports ${target}`);
}

describe('imports point one way: functions → app → {core, wire, ports}; adapters → {ports, wire, core}; core → core; nothing → infra/local', () => {
  it('finds the files, of every room some', () => {
    expect(files.length).toBeGreaterThan(500);
    expect(rooms.filter(({ room }) => !files.some((file) => isIn(file, room)))).toEqual([]);
  });
  it('nothing imports against the direction', () => expect(files.flatMap(violations)).toEqual([]));
  it('nothing that is deployed imports the laptop cloud', () => {
    const deployed = rooms.filter(({ room }) => !/^(infra\/local|test|vitest\.config\.ts)$/.test(room));
    expect(deployed.filter(({ may }) => may.some((place) => isIn('infra/local/x.ts', place)))).toEqual([]);
  });
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
  it('a member that may be missing is spread by `defined` (shared/core/defined.ts)', () => {
    const spelledOut = /\.\.\.\((\w[\w.?]*) === undefined \? \{\} : \{ (?:[\w']+: )?\1 \}\)/;
    expect(files.filter((file) => spelledOut.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
    expect(spelledOut.test(['{ ...(reason === undefined ?', '{} : { reason }) }'].join(' '))).toBe(true);
  });
});
