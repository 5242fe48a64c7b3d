/** docs/architecture.md answers what a newcomer asks, a few links from the README, and its diagram speaks of rules that are there. */
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rules } from '../../shared/core/reconcile/decide.ts';
import { linksOf, read, root } from './documents.ts';

/** Whatever a reader of a page reaches by one link. */
const reached = (page: string): readonly string[] =>
  linksOf(read(page))
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => normalize(join(dirname(page), link.split('#')[0] ?? '')))
    .filter((path) => existsSync(join(root, path)));

/** By how many links a file is reached from the README; `Infinity`: not at all. */
function stepsTo(file: string): number {
  const seen = new Map([['README.md', 0]]);
  for (const [page, steps] of seen) {
    if (page === file) return steps;
    if (!page.endsWith('.md')) continue;
    for (const next of reached(page)) if (!seen.has(next)) seen.set(next, steps + 1);
  }
  return Infinity;
}

const page = read('docs/architecture.md');

describe('docs/architecture.md answers', () => {
  it.each([
    [
      "Where is a pod's environment translated?",
      'shared/core/pod/environment.ts',
      'export function resolveEnvironment',
    ],
    ['Where is a crash survived?', 'shared/core/reconcile/pod-row.ts', 'export type Intent'],
    ['Where is ARM called?', 'shared/adapters/arm/container-groups.ts', 'export function createArmContainerGroups'],
    ['Where is an event worded?', 'shared/core/pod-events/table.ts', "trouble('InspectFailed')"],
    ['Where is a new pod field added?', 'CONTRIBUTING.md', '## A field of a pod'],
  ])('%s', (question, file, content) => {
    const row = page.split('\n').find((line) => line.startsWith(`| ${question} |`)) ?? '';
    const links = linksOf(row).map((link) => normalize(join('docs', link.split('#')[0] ?? '')));
    expect(links).toContain(file);
    expect(stepsTo(file)).toBeLessThanOrEqual(3);
    expect(read(file)).toContain(content);
  });
});

describe('its diagram of states', () => {
  const diagram = /```mermaid\nstateDiagram-v2\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const labels = [...diagram.matchAll(/-->.*?: (.*)$/gm)].map(([, label = '']) => label.replace(/\(.*\)/, ''));

  it('names rules that are there', () => {
    const named = labels.flatMap((label) => label.match(/\b[a-z]+(?:-[a-z]+)+\b/g) ?? []);
    expect(named.length).toBeGreaterThan(12);
    const reasons = new Set(rules.map(({ reason }) => reason));
    expect(named.filter((name) => !reasons.has(name))).toEqual([]);
  });
});
