import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StandardInput } from '../context.ts';
import { wrongInput } from '../stop.ts';

export interface Input {
  /** As it is reported; `stdin` of the standard input. */
  readonly file: string;
  readonly text: string;
}

/** Rendered charts have some megabytes at most. */
const maxBytes = 64_000_000;

/** The files in their order, of a folder those that kubectl reads; `-` is the standard input. */
export async function readInputs(names: readonly string[], stdin: StandardInput): Promise<readonly Input[]> {
  const inputs: Input[] = [];
  for (const name of names)
    if (name === '-') inputs.push({ file: 'stdin', text: textOf('stdin', await readAll(stdin())) });
    else
      for (const file of await filesOf(name))
        inputs.push({ file, text: textOf(file, await reported(file, (path) => readFile(path))) });
  return inputs;
}

async function filesOf(name: string): Promise<readonly string[]> {
  const found = await reported(name, (path) => stat(path));
  if (!found.isDirectory()) return [name];
  const entries = await reported(name, (path) => readdir(path, { withFileTypes: true }));
  const files = entries
    .filter((entry) => !entry.isDirectory() && /\.(ya?ml|json)$/.test(entry.name))
    .map((entry) => entry.name)
    .sort();
  if (files.length === 0)
    throw wrongInput(`${name} has no .yaml, .yml or .json file`, 'give a file, or another folder');
  return files.map((file) => join(name, file));
}

async function reported<T>(file: string, ask: (file: string) => Promise<T>): Promise<T> {
  try {
    return await ask(file);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw wrongInput(`${file} can not be read: ${why}`, 'give the path of a file, or - for the standard input');
  }
}

function textOf(file: string, bytes: Uint8Array): string {
  if (bytes.length > maxBytes) throw wrongInput(`${file} has more than 64 MB`, 'give it in parts');
  return new TextDecoder(encodingOf(bytes)).decode(bytes);
}

/** YAML is UTF-8, or UTF-16 with a byte order mark, as PowerShell redirects output. */
function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}

async function readAll(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    length += bytes.length;
    if (length > maxBytes) break;
  }
  return Buffer.concat(chunks);
}
