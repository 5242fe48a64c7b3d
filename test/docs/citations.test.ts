/** Comments cite what a reader can open: a page and heading of this repository, a rule of the table, or a public source. */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { read as textOf, root } from './documents.ts';

const files = globSync('{functions,shared,infra,test}/**/*.{ts,mjs,go,bicep,yaml,tpl}', { cwd: root }).filter(
  (file) => !file.startsWith('test/docs/'),
);

/** Comments wrap: what is on two lines is read as one. */
const flat = (text: string): string => text.replaceAll(/\n\s*(?:\*|\/\/|#)?\s*/g, ' ');

const headings = (page: string): ReadonlySet<string> =>
  new Set([...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading));
const rules = new Set([...textOf('docs/architecture.md').matchAll(/^\| (\d+) \|/gm)].map(([, number]) => number));

/** Sentences about what a text cites and nobody finds. */
function unknownIn(text: string): readonly string[] {
  const read = flat(text);
  const pages = [...read.matchAll(/(?<![\w/.:-])((?:docs\/(?:adr\/)?)?[\w-]+\.md)\b/g)].map(([, page = '']) => page);
  const cited = [...read.matchAll(/docs\/(aci|architecture)\.md, ([A-Z][\w ]+?)(?=[).;:]| with )/g)];
  const numbers = [...read.matchAll(/[Rr]ules? (\d+(?:, \d+)*(?: and \d+)?) of docs\/architecture\.md/g)];
  return [
    ...pages.filter((page) => !existsSync(join(root, page)) && !existsSync(join(root, 'docs', page))),
    ...cited.filter(([, page, heading = '']) => !headings(`docs/${page}.md`).has(heading)).map(([all]) => all),
    ...numbers.flatMap(([, list = '']) => list.split(/, | and /)).filter((number) => !rules.has(number)),
    ...(/\bDESIGN\b/.exec(read) ?? []),
  ];
}

describe('what comments cite', () => {
  it('is found by whoever reads them', () => {
    const unknown = files.flatMap((file) => unknownIn(textOf(file)).map((one) => `${file}: ${one}`));
    expect(unknown).toEqual([]);
  });

  it('is checked in many places', () => {
    const all = files.map(textOf).join('\n');
    expect(all.match(/docs\/aci\.md, [A-Z]/g)?.length).toBeGreaterThan(20);
    expect(all.match(/ules? \d+ of docs\/architecture\.md/g)?.length).toBeGreaterThan(20);
    expect(rules.size).toBe(17);
  });

  it.each([
    ['/** See kubelet.md. */', 'kubelet.md'],
    ['/** (docs/aci.md, Nowhere) */', 'docs/aci.md, Nowhere'],
    ['/** As rule 99 of\n * docs/architecture.md has it. */', '99'],
    ['/** DESIGN rule 2 */', 'DESIGN'],
  ])('and a stray one is found: %j', (text, found) => expect(unknownIn(text)).toEqual([found]));
});
