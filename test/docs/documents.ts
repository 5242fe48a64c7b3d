import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

const top = readdirSync(root).filter((name) => name.endsWith('.md'));
const below = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name));

/** All documents, from the root of the repository. */
export const documents: readonly string[] = [...top, ...below];

export const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Without fenced blocks: what is there is a sample. */
const prose = (text: string): string => text.replaceAll(/^```[\s\S]*?^```$/gm, '');

/** A heading as GitHub names its anchor. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (text: string): readonly string[] =>
  [...prose(text).matchAll(/^#{1,6} +(.+?) *$/gm)].map((match) => anchorOf(match[1] ?? ''));

/** Where the links of a text lead, as they are written; those of samples are none. */
export const linksOf = (text: string): readonly string[] =>
  [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');

/** Relative links of a document that lead nowhere: no such file, or no such heading in it. */
export function brokenLinks(file: string, text: string): readonly string[] {
  return linksOf(text)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : relative(root, join(root, dirname(file), path));
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
}

/** Names of scripts that a document informs people to run. */
export const scriptsNamed = (text: string): readonly string[] => [
  ...new Set([...text.matchAll(/\bnpm run ([a-z][a-z:-]*[a-z])/g)].map((match) => match[1] ?? '')),
];

/** Files and folders of the repository that a document names in backticks. */
export const pathsNamed = (text: string): readonly string[] => [
  ...new Set(
    [...prose(text).matchAll(/`((?:functions|shared|infra|test|docs)\/[\w./-]*|[\w-]+\.config\.ts)`/g)].map(
      (match) => match[1] ?? '',
    ),
  ),
];

/** First cells of the rows of the table that follows a heading, without backticks; each name of a cell by itself. */
export function firstCells(text: string, heading: string): readonly string[] {
  const section = text.split(/^(?=#{1,6} )/m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap((match) =>
    [...(match[1] ?? '').matchAll(/`([^`]+)`/g)].map((name) => name[1] ?? ''),
  );
}

/** A fenced block of shell commands. */
export interface CommandBlock {
  /** The test that runs it, a path of the repository. */
  readonly test: string | undefined;
  /** What somebody has to have who runs it, where no test can. */
  readonly needs: string | undefined;
  /** One for each line, without comments. */
  readonly commands: readonly string[];
}

/** The shell blocks of a document. Behind the language a fence says `test="…"` or `needs="…"`, which no page shows. */
export function commandBlocks(text: string): readonly CommandBlock[] {
  return [...text.matchAll(/^```(?:sh|bash|shell|console)\b(.*)\n([\s\S]*?)^```$/gm)].map(
    ([, info = '', body = '']) => ({
      test: /\btest="([^"]*)"/.exec(info)?.[1],
      needs: /\bneeds="([^"]*)"/.exec(info)?.[1],
      commands: body
        .replaceAll(/\\\n\s*/g, '')
        .split('\n')
        .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
        .filter((line) => line !== ''),
    }),
  );
}
