import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One answer of az: for the first command that begins with these words. The texts are those of az 2.91. */
export interface AzAnswer {
  readonly command: string;
  readonly code?: number;
  readonly stdout?: unknown;
  readonly stderr?: string;
}

/** What az says of ARM's refusals: code and message in one line, and again in two. */
export const armError = (code: string, message: string): string =>
  `ERROR: (${code}) ${message}\nCode: ${code}\nMessage: ${message}\n`;

/** Puts an `az` into a folder for PATH that answers as reported; what nobody reported it is an error of its own. */
export function writeAz(folder: string, answers: readonly AzAnswer[]): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'az');
  const program = `#!${process.execPath}
const line = process.argv.slice(2).join(' ');
const answer = ${JSON.stringify(answers)}.find(({ command }) => line.startsWith(command));
if (answer === undefined) { process.stderr.write('ERROR: no answer for ' + line + '\\n'); process.exit(9); }
if (answer.stdout !== undefined) process.stdout.write(JSON.stringify(answer.stdout));
process.stderr.write(answer.stderr ?? '');
process.exit(answer.code ?? 0);
`;
  writeFileSync(file, program);
  chmodSync(file, 0o755);
  return folder;
}
