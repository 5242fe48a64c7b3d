import { onPath } from '../engine/backend.ts';
import type { TerminalSize } from '../runtime.ts';

/** Whether util-linux's `script` is installed, by which a program that has no library for it gets a terminal. */
export const hasScript = (): boolean => onPath('script') !== undefined;

/** Runs a command at a terminal. A shell sets the size, since `script` has none of its own to pass on, and becomes the command. */
export function scriptCommand(command: readonly string[], { rows, columns }: TerminalSize): [string, ...string[]] {
  const words = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const line = `stty rows ${rows} cols ${columns}; exec ${words.join(' ')}`;
  return ['script', '--quiet', '--flush', '--command', line, '/dev/null'];
}
