import { describe, expect, it } from 'vitest';
import { commands } from '../../infra/cli/commands.ts';
import { commonOptions } from '../../infra/cli/options.ts';
import { documents, read } from './documents.ts';

/** Each time a document types a command of ours. */
const typed = documents.flatMap((file) =>
  [
    ...read(file).matchAll(
      /(?:\bserverless-kubelet|\bdist\/cli\/main\.js|\bkubectl aci) (attach|detach|status|doctor|explain|cost|probe|agent [a-z-]+)\b([^`\n]*)/g,
    ),
  ].map(([text, name = '', rest = '']) => ({
    file,
    text,
    name,
    options: [...rest.matchAll(/--([a-z][a-z-]*)/g)].map(([, option = '']) => option),
  })),
);

describe('the command line in the documents', () => {
  it('is never asked from the registry, where its name is free for anyone', () => {
    expect(
      documents.filter((file) => /\b(npx|npm exec|npm i|npm install)( -\S+)* serverless-kubelet\b/.test(read(file))),
    ).toEqual([]);
  });

  it('is there', () => expect(typed.length).toBeGreaterThan(8));

  it.each(typed)('$file: $text', async ({ name, options }) => {
    const command = await commands.find((entry) => entry.name === name)?.load();
    const known = Object.keys({ ...commonOptions, ...command?.options });
    expect(options.filter((option) => !known.includes(option))).toEqual([]);
  });
});
