import { parseArgs } from 'node:util';
import { defined } from '../../shared/core/defined.ts';
import { nearest } from './nearest.ts';
import { wrongInput } from './stop.ts';

/** One option of a command. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** One letter, for what kubectl names by one. */
  readonly short?: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** What stands for the value in the help, e.g. `NAME`. */
  readonly value?: string;
  readonly description: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** What every command understands. */
export const commonOptions: OptionSpecs = {
  app: { type: 'string', value: 'NAME', description: 'the function app, found with the Azure CLI (az)' },
  'resource-group': { type: 'string', value: 'NAME', description: "the function app's resource group" },
  subscription: {
    type: 'string',
    value: 'ID',
    description: "the function app's subscription (default: az's current one)",
  },
  settings: {
    type: 'string',
    value: 'FILE',
    description: "instead of --app: a file with the app's settings (local.settings.json)",
  },
  kubeconfig: { type: 'string', value: 'FILE', description: "the cluster's kubeconfig (default: kubectl's own)" },
  context: { type: 'string', value: 'NAME', description: 'the context in it (default: the current one)' },
  output: { type: 'string', value: 'FORM', description: 'table, json or yaml (default table)' },
  verbose: { type: 'boolean', description: 'what Azure and the tables answered, word for word, as warnings on stderr' },
  help: { type: 'boolean', description: 'this text' },
};

/** A command line that was understood. Asking for an option that no spec names is a bug and throws. */
export interface ParsedOptions {
  text(name: string): string | undefined;
  /** As `text`; absent is wrong input. */
  required(name: string): string;
  flag(name: string): boolean;
  /** All values of an option that may be repeated, each split at commas, empty parts dropped. */
  list(name: string): readonly string[];
  /** All values as they were given. */
  values(name: string): readonly string[];
}

/** Reads the arguments after the command's name. The first fault is thrown as wrong input: a sentence and the fix. */
export function parseOptions(args: readonly string[], own: OptionSpecs): ParsedOptions {
  const specs: OptionSpecs = { ...commonOptions, ...own };
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(specs).map(([name, { type, short }]) => [name, { type, ...defined({ short }) }]),
    ),
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === 'positional')
      throw wrongInput(`"${token.value}" is not understood`, 'every argument is an option: --help lists them');
    if (token.kind !== 'option') continue;
    const spec = specs[token.name];
    if (spec === undefined) throw unknownOption(token.rawName, Object.keys(specs));
    given.set(token.name, [...(given.get(token.name) ?? []), valueOf(token, spec)]);
    if (spec.multiple !== true && (given.get(token.name)?.length ?? 0) > 1)
      throw wrongInput(`--${token.name} is given twice`, 'give it once');
  }
  const valuesOf = (name: string): readonly string[] => {
    if (specs[name] === undefined) throw new Error(`no such option: ${name}`);
    return given.get(name) ?? [];
  };
  return {
    text: (name) => valuesOf(name)[0],
    required: (name) => {
      const [value] = valuesOf(name);
      if (value === undefined)
        throw wrongInput(`--${name} is missing`, `add --${name} ${specs[name]?.value ?? ''}`.trimEnd());
      return value;
    },
    flag: (name) => valuesOf(name).length > 0,
    list: (name) =>
      valuesOf(name).flatMap((value) =>
        value
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== ''),
      ),
    values: valuesOf,
  };
}

interface OptionToken {
  readonly name: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function valueOf({ name, value, inlineValue }: OptionToken, spec: OptionSpec): string {
  if (spec.type === 'boolean') {
    if (value !== undefined) throw wrongInput(`--${name} takes no value`, `leave "=${value}" out`);
    return 'true';
  }
  const wanted = `--${name} ${spec.value ?? 'VALUE'}`;
  if (value === undefined || value === '') throw wrongInput(`--${name} wants a value`, wanted);
  // A dash alone stands for the standard input.
  if (inlineValue !== true && value.startsWith('-') && value !== '-')
    throw wrongInput(`--${name} wants a value, not ${value}`, `${wanted}, or --${name}=${value} if it is meant`);
  return value;
}

function unknownOption(rawName: string, known: readonly string[]): Error {
  const meant = nearest(rawName.replace(/^-+/, ''), known);
  return wrongInput(
    `there is no option ${rawName}`,
    meant === undefined ? '--help lists the options' : `did you mean --${meant}?`,
  );
}

/** A duration such as `90s`, `5m` or `1h`, in ms. */
export function parseDuration(name: string, text: string): number {
  const [, count, unit] = /^(\d{1,6})(s|m|h)$/.exec(text) ?? [];
  const unitMs = { s: 1000, m: 60_000, h: 3_600_000 }[unit ?? ''];
  if (count === undefined || unitMs === undefined || Number(count) === 0)
    throw wrongInput(`--${name} wants a duration, not "${text}"`, `write it as 90s, 5m or 1h`);
  return Number(count) * unitMs;
}

const columnWidth = 27;

/** The options' part of a help text. */
export function describeOptions(specs: OptionSpecs): string {
  return Object.entries(specs)
    .map(([name, { value, description, multiple, short }]) => {
      const left = `  ${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}${multiple === true ? ' …' : ''}`;
      return left.length < columnWidth
        ? `${left.padEnd(columnWidth)}${description}`
        : `${left}\n${' '.repeat(columnWidth)}${description}`;
    })
    .join('\n');
}
