import packageJson from '../../package.json' with { type: 'json' };
import type { Command } from './command.ts';
import { commands } from './commands.ts';
import type { CommandEntry } from './commands.ts';
import { createContext } from './context.ts';
import type { Environment, StandardInput } from './context.ts';
import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { nearest } from './nearest.ts';
import { commonOptions, describeOptions, parseOptions } from './options.ts';
import { createOutput, parseFormat } from './output.ts';
import type { OutputStreams } from './output.ts';
import { Stop, wrongInput } from './stop.ts';

export interface CliRun extends OutputStreams {
  /** The name of the file that was started: `kubectl-aci` where it is kubectl's plugin. */
  readonly invokedAs: string;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  /** The standard input, opened when it is asked for. */
  readonly stdin: StandardInput;
}

/** The whole program: finds the command, reads its options, runs it, says what went wrong. Never rejects. */
export async function runCli(args: readonly string[], run: CliRun): Promise<ExitCode> {
  const program = programName(run.invokedAs);
  try {
    const [first] = args;
    if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
      run.stdout.write(overview(program));
      return first === undefined ? exitCodes.usage : exitCodes.done;
    }
    if (first === '--version' || first === 'version') {
      run.stdout.write(`${packageJson.version}\n`);
      return exitCodes.done;
    }
    const family = commands.filter(({ name }) => name.startsWith(`${first} `));
    if (family.length > 0 && (args[1] === '--help' || args[1] === '-h')) {
      run.stdout.write(list(family, program));
      return exitCodes.done;
    }
    const { entry, rest } = findCommand(args);
    return await runCommand(await entry.load(), rest, { ...run, usage: `${program} ${entry.name}` });
  } catch (error) {
    return explain(error, run, program);
  }
}

/** As the user typed it: `kubectl aci` as kubectl's plugin. */
function programName(invokedAs: string): string {
  return /^kubectl-aci(\.[cm]?js)?$/.test(invokedAs) ? 'kubectl aci' : 'serverless-kubelet';
}

/** The command that the arguments begin with, and those behind its name, which is of one word or two. */
function findCommand(args: readonly string[]): { readonly entry: CommandEntry; readonly rest: readonly string[] } {
  for (const words of [2, 1]) {
    const entry = commands.find(({ name }) => name === args.slice(0, words).join(' '));
    if (entry !== undefined) return { entry, rest: args.slice(words) };
  }
  const names = commands.map((command) => command.name);
  const isFamily = names.some((each) => each.startsWith(`${args[0]} `));
  if (isFamily && (args[1] ?? '-').startsWith('-'))
    throw wrongInput(
      `"${args[0]}" wants a second word`,
      names.filter((each) => each.startsWith(`${args[0]} `)).join(', '),
    );
  const name = args.slice(0, isFamily ? 2 : 1).join(' ');
  const meant = nearest(name, names);
  throw wrongInput(
    `there is no command "${name}"`,
    meant === undefined ? `the commands are ${names.join(', ')}` : `did you mean ${meant}?`,
  );
}

async function runCommand(
  command: Command,
  args: readonly string[],
  run: CliRun & { readonly usage: string },
): Promise<ExitCode> {
  // Asked for among anything else, the help comes before any complaint.
  if (args.includes('--help') || args.includes('-h')) {
    run.stdout.write(commandHelp(run.usage, command));
    return exitCodes.done;
  }
  const options = parseOptions(args, command.options);
  const out = createOutput({ ...run, format: parseFormat(options.text('output')) });
  return command.run(createContext({ ...run, options, out }));
}

function explain(error: unknown, { stderr, signal }: CliRun, program: string): ExitCode {
  // First: a kubectl that was ended by it looks like an API server that does not answer.
  if (signal.aborted) {
    stderr.write(`${program}: interrupted; the same command goes on from here\n`);
    return exitCodes.failed;
  }
  if (error instanceof Stop) {
    stderr.write(`${program}: ${error.message}\n${error.fix === undefined ? '' : `  → ${error.fix}\n`}`);
    return error.code;
  }
  stderr.write(`${program}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return exitCodes.failed;
}

const exitCodeHelp = `Exit codes: 0 done or healthy, 1 failed, 2 wrong option or input, 3 needs attention, 4 timed out waiting.`;

const nameWidth = Math.max(...commands.map(({ name }) => name.length)) + 3;

function overview(program: string): string {
  return `usage: ${program} COMMAND [options]

Shows Azure Container Instances to a Kubernetes cluster as nodes, from an Azure Functions app.

${lines(commands)}

${program} COMMAND --help reports a command's options; --version the version.
${exitCodeHelp}
`;
}

const lines = (entries: readonly CommandEntry[]): string =>
  entries.map(({ name, summary }) => `  ${name.padEnd(nameWidth)}${summary}`).join('\n');

/** The commands that begin with one word. */
const list = (family: readonly CommandEntry[], program: string): string =>
  `${lines(family)}\n\n${program} COMMAND --help reports a command's options.\n`;

function commandHelp(usage: string, command: Command): string {
  return `usage: ${usage} [options]

${command.help.trim()}

${describeOptions(command.options)}

Which app, which cluster, which form:
${describeOptions(commonOptions)}

${exitCodeHelp}
`;
}
