import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const staticImport = /^(?:import|export)\s(?!type\b)(?:[^'";]*?\sfrom\s)?'([^']+)'/gm;

/** What is loaded before the first invocation: files of the app, and packages by name. */
function loadedBy(file: string, seen = new Set<string>()): ReadonlySet<string> {
  const name = relative(root, file);
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(staticImport))
    if (target.startsWith('.')) loadedBy(join(dirname(file), target), seen);
    else seen.add(target);
  return seen;
}

describe('what is loaded until the functions are registered', () => {
  const loaded = [...loadedBy(join(root, 'functions', 'index.ts'))];

  it('is no package but that of the functions', () => {
    expect(loaded.filter((name) => !/\.ts$|^node:/.test(name))).toEqual(['@azure/functions']);
  });

  it('is neither an adapter nor a schema nor the rules of pods', () => {
    expect(loaded.filter((name) => /^shared\/(adapters|wire|core)\//.test(name))).toEqual([]);
  });
});
