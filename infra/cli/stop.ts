import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';

/**
 * Ends a command: one sentence on what is wrong, one on how to fix it. Thrown wherever it is found, printed in one
 * place (`main.ts`).
 */
export class Stop extends Error {
  readonly fix: string | undefined;
  readonly code: ExitCode;

  constructor(code: ExitCode, problem: string, fix?: string) {
    super(problem);
    this.name = 'Stop';
    this.code = code;
    this.fix = fix;
  }
}

/** Wrong input, found before anything was changed. */
export const wrongInput = (problem: string, fix?: string): Stop => new Stop(exitCodes.usage, problem, fix);

/** Something that was tried and did not work. */
export const failure = (problem: string, fix?: string): Stop => new Stop(exitCodes.failed, problem, fix);
