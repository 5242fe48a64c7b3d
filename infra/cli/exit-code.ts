/** How a command ends; documented in `--help` and never changed: scripts rely on it. */
export const exitCodes = {
  /** Done, or all is healthy. */
  done: 0,
  /** It was tried and failed. */
  failed: 1,
  /** A wrong option or a wrong input; nothing was changed. */
  usage: 2,
  /** It ran, and what it found needs somebody's attention (`status`, `doctor`). */
  attention: 3,
  /** Waited as long as it was asked to; a second run goes on from here. */
  timedOut: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
