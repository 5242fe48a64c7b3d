import type { Outcome } from './command-streams.ts';

/** The `v1.Status` with which a stream of version 4 and later ends; clients read the exit code from its cause. */
export function commandStatus(outcome: Outcome): string {
  if (outcome.kind === 'failed')
    return JSON.stringify({
      metadata: {},
      status: 'Failure',
      reason: 'InternalError',
      message: failureText(outcome.message),
      details: { causes: [{ message: outcome.message }] },
      code: 500,
    });
  if (outcome.code === 0) return JSON.stringify({ metadata: {}, status: 'Success' });
  return JSON.stringify({
    metadata: {},
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: exitText(outcome.code),
    details: { causes: [{ reason: 'ExitCode', message: String(outcome.code) }] },
  });
}

/** What earlier versions end with; empty: it went well. */
export function plainStatus(outcome: Outcome): string {
  if (outcome.kind === 'failed') return failureText(outcome.message);
  return outcome.code === 0 ? '' : exitText(outcome.code);
}

const exitText = (code: number): string => `command terminated with non-zero exit code: exit status ${code}`;
const failureText = (message: string): string => `Internal error occurred: ${message}`;
