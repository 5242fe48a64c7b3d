import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { usage } from '../../infra/local/up/options.ts';
import { brokenLinks, commandBlocks, documents, pathsNamed, read, root, scriptsNamed } from './documents.ts';

const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));

describe('documents', () => {
  it('are there', () => {
    expect(documents).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', 'docs/settings.md']),
    );
  });

  it.each(documents)('%s: every relative link leads to a file, and to a heading in it', (file) => {
    expect(brokenLinks(file, read(file))).toEqual([]);
  });

  it.each(documents)('%s: every script that it names is in package.json', (file) => {
    expect(scriptsNamed(read(file)).filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it.each(documents)('%s: every file and folder that it names exists', (file) => {
    expect(pathsNamed(read(file)).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it.each(documents)('%s: every block of commands names the test that runs it, or what it needs', (file) => {
    const unsure = commandBlocks(read(file)).filter(({ test, needs }) =>
      test === undefined ? needs === undefined || needs === '' : !existsSync(join(root, test)),
    );
    expect(unsure).toEqual([]);
  });

  it('the architecture names the files that it walks through', () => {
    expect(pathsNamed(read('docs/architecture.md')).length).toBeGreaterThan(60);
  });

  it('the README names each option of npm start, and no other', () => {
    const rows = [...read('README.md').matchAll(/^\| (`--.*?) \|/gm)].map((match) => match[1] ?? '');
    const named = rows.flatMap((cell) => [...cell.matchAll(/--[a-z-]+/g)].map((match) => match[0]));
    const offered = [...usage.matchAll(/^ {2}(--[a-z-]+)/gm)].map((match) => match[1] ?? '');
    expect(named.toSorted()).toEqual(offered.toSorted());
  });

  it('the README fits on a few screens', () => {
    expect(read('README.md').split('\n').length).toBeLessThanOrEqual(200);
  });
});

describe('the checks of documents', () => {
  it.each([
    ['a file that is there', '[a](docs/settings.md)', []],
    ['a heading that is there', '[a](docs/settings.md#the-relay)', []],
    ['another site', '[a](https://example.com/x)', []],
    ['a file that is not there', '[a](docs/none.md)', ['docs/none.md']],
    ['a heading that is not there', '[a](docs/settings.md#none)', ['docs/settings.md#none']],
    ['a sample', '```\n[a](docs/none.md)\n```', []],
  ])('a link to %s', (_what, text, broken) => {
    expect(brokenLinks('README.md', text)).toEqual(broken);
  });

  it('a block of commands is marked behind its language; a backslash joins lines, a comment is none', () => {
    const text =
      '```sh test="a.test.ts"\nkubectl get pods  # all\n\n# none\naz a \\\n  --b\n```\n```sh\nls\n```\n```json\n{}\n```\n';
    expect(commandBlocks(text)).toEqual([
      { test: 'a.test.ts', needs: undefined, commands: ['kubectl get pods', 'az a --b'] },
      { test: undefined, needs: undefined, commands: ['ls'] },
    ]);
  });

  it('scripts are found in prose and samples, files in backticks', () => {
    expect(scriptsNamed('`npm run cluster:build`, npm run build.\n```\nnpm run detach  # y\n```')).toEqual([
      'cluster:build',
      'build',
      'detach',
    ]);
    expect(pathsNamed('`shared/core/fault.ts` (`asNode`), `infra/local/`, `rolldown.config.ts`')).toEqual([
      'shared/core/fault.ts',
      'infra/local/',
      'rolldown.config.ts',
    ]);
  });
});
