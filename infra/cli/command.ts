import type { CliContext } from './context.ts';
import type { ExitCode } from './exit-code.ts';
import type { OptionSpecs } from './options.ts';

/** One command of the program; `commands.ts` has its name. Each is `command.ts` in a folder of its name. */
export interface Command {
  /** What it does, for `--help`: plain sentences, lines of at most 110 characters. */
  readonly help: string;
  /** Its own options; those that all commands share are added to them (`options.ts`). */
  readonly options: OptionSpecs;
  /** Ends with a code, or with a thrown `Stop`. Wrong input is found before anything is changed; it can be repeated. */
  run(context: CliContext): Promise<ExitCode>;
}
