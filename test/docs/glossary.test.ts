/** The words that docs/glossary.md has given up for the field's own are in no document, message, comment or name of a file. */
import { globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documents, read, root } from './documents.ts';

const files = [
  ...documents.filter((file) => file !== 'CHANGELOG.md' && file !== 'docs/glossary.md'),
  ...globSync('{functions,shared,infra}/**/*.{ts,md,bicep,yaml,tpl,json}', { cwd: root }),
];

/** Each with the phrases in which it is the field's own, or plain English. */
const dropped: readonly (readonly [word: RegExp, fine: RegExp])[] = [
  [/\bmend(?:s|ed|ing)?\b/i, /(?!)/],
  [/\bhearts?\b/i, /(?!)/],
  [/\bstrangers?\b/i, /(?!)/],
  [/\b(?:tells?|told|telling)\b/i, /(?!)/],
  [/\b(?:next|last|the|each|every|no|first) look\b|\bthe looks\b/i, /look (?:like|for|after|at|up|of)\b/i],
  [/\bst(?:ands?|ood)\b/i, /stands? (?:for|by|in for)\b|stood for\b|stand-ins?\b/i],
];

const foundIn = (text: string): readonly string[] =>
  text
    .split('\n')
    .flatMap((line) =>
      dropped.flatMap(([word, fine]) => word.exec(line.replaceAll(new RegExp(fine, 'gi'), ''))?.[0] ?? []),
    );

describe('the words of the glossary', () => {
  it('are used', () => {
    const found = files.flatMap((file) => [...foundIn(read(file)), ...foundIn(file)].map((word) => `${file}: ${word}`));
    expect(found).toEqual([]);
  });

  it.each([
    ['mend the name', 'mend'],
    ['doctor tells why', 'tells'],
    ['at the look', 'the look'],
    ['at its next look', 'next look'],
    ['it stands in the row', 'stands'],
    ['groups of strangers', 'strangers'],
    ['`null` stands for nothing; our stand-in; the relay stands by', undefined],
    ['it looks like a first look at all of it', undefined],
  ])('%j: %s', (text, word) => expect(foundIn(text)[0]).toBe(word));
});
