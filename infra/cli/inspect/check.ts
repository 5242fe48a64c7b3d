import type { ExitCode } from '../exit-code.ts';
import { exitCodes } from '../exit-code.ts';

/** What came of one check. */
export interface Check {
  readonly name: string;
  /** `skipped`: it could not be checked, and `found` says why; that alone is no fault. */
  readonly verdict: 'ok' | 'warning' | 'failed' | 'skipped';
  /** One sentence, without a secret. */
  readonly found: string;
  /** How to fix it: one sentence or a command. */
  readonly fix?: string;
}

export const good = (name: string, found: string): Check => ({ name, verdict: 'ok', found });
export const warned = (name: string, found: string, fix: string): Check => ({ name, verdict: 'warning', found, fix });
export const failed = (name: string, found: string, fix: string): Check => ({ name, verdict: 'failed', found, fix });
export const skipped = (name: string, found: string): Check => ({ name, verdict: 'skipped', found });

/** 0: nothing to fix; 3: something is; 1: not a single check could be made. */
export function doctorExitCode(checks: readonly Check[]): ExitCode {
  if (checks.some(({ verdict }) => verdict === 'failed' || verdict === 'warning')) return exitCodes.attention;
  return checks.some(({ verdict }) => verdict === 'ok') ? exitCodes.done : exitCodes.failed;
}
