import { stripVTControlCharacters, styleText } from 'node:util';
import { stringify } from 'yaml';
import { createProgress } from './progress.ts';
import type { Progress, ProgressStream } from './progress.ts';
import { wrongInput } from './stop.ts';

/**
 * Of every command's result as an object, its first member. A member is added within a version; one that is renamed or
 * taken away begins the next (CHANGELOG.md).
 */
export const outputSchemaVersion = 2;

export type OutputFormat = 'table' | 'json' | 'yaml';

/** Reads `--output`. */
export function parseFormat(text: string | undefined): OutputFormat {
  const format = text ?? 'table';
  if (format === 'table' || format === 'json' || format === 'yaml') return format;
  throw wrongInput(
    `--output wants table, json or yaml, not "${format}"`,
    'for a person leave it out, for a program use json',
  );
}

/** A column's title, or the title and the side on which its values are. */
export type Column = string | { readonly title: string; readonly align: 'left' | 'right' };
export type Colour = 'green' | 'yellow' | 'red' | 'dim' | 'bold';

/**
 * What a command says. Its result goes to stdout, in one of three forms; progress and remarks go to stderr, so that a
 * pipe gets the result alone.
 */
export interface Output {
  readonly format: OutputFormat;
  /** The result as an object where json or yaml was asked for; returns whether it was, so that nothing else is printed. */
  value(result: object): boolean;
  /** A table for people: no line longer than its content needs. Cells may hold coloured text. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void;
  /** A line of the result, for people. */
  line(text: string): void;
  /** Colours `text` where stdout is a terminal and NO_COLOR is not set. */
  paint(colour: Colour, text: string): string;
  /** Steps that take time, on stderr. */
  readonly progress: Progress;
  /** A remark on stderr. */
  note(text: string): void;
  /** A warning on stderr. */
  warn(text: string): void;
}

export interface OutputStreams {
  readonly stdout: ProgressStream;
  readonly stderr: ProgressStream;
}

export interface OutputOptions extends OutputStreams {
  readonly format: OutputFormat;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function createOutput({ stdout, stderr, format, environment }: OutputOptions): Output {
  const mayColour = (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
  const paintOn = (stream: ProgressStream, colour: Colour, text: string): string =>
    mayColour && stream.isTTY === true ? styleText(colour, text, { validateStream: false }) : text;
  const progress = createProgress(stderr);
  return {
    format,
    value: (result) => {
      if (format === 'table') return false;
      const whole = { schemaVersion: outputSchemaVersion, ...result };
      stdout.write(format === 'json' ? `${JSON.stringify(whole, undefined, 2)}\n` : stringify(whole, { lineWidth: 0 }));
      return true;
    },
    table: (columns, rows) => void stdout.write(formatTable(columns, rows)),
    line: (text) => void stdout.write(`${text}\n`),
    paint: (colour, text) => paintOn(stdout, colour, text),
    progress,
    note: (text) => progress.line(text),
    warn: (text) => progress.line(`${paintOn(stderr, 'yellow', 'warning:')} ${text}`),
  };
}

const gap = '   ';

/** Columns as wide as their widest cell; the last one is not padded. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const titles = columns.map((column) => (typeof column === 'string' ? column : column.title));
  const all = [titles, ...rows];
  const widths = titles.map((_, index) => Math.max(...all.map((row) => width(row[index] ?? ''))));
  const line = (row: readonly string[]): string =>
    columns
      .map((column, index) => {
        const cell = row[index] ?? '';
        const space = ' '.repeat((widths[index] ?? 0) - width(cell));
        return typeof column === 'object' && column.align === 'right' ? space + cell : cell + space;
      })
      .join(gap)
      .trimEnd();
  return all.map((row) => `${line(row)}\n`).join('');
}

/** Characters that are seen: colours are not. */
const width = (cell: string): number => Array.from(stripVTControlCharacters(cell)).length;
