import { PassThrough } from 'node:stream';
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import type { Terminal } from '../runtime.ts';
import { bytesOf, failedTerminal } from '../terminals.ts';
import type { TerminalOrder } from '../terminals.ts';

/** A program at a terminal, as data. It echoes what is typed; a line `exit`, Ctrl-D or the container's end ends it. */
const terminalSchema = z.object({
  /** The engine's sentence of a program that cannot be started. */
  startFault: z.string().optional(),
  /** What it shows at once, and again after each line. */
  prompt: z.string().optional(),
  /** What it shows for a line; `{rows}` and `{columns}` are those of the terminal. */
  answers: z.record(z.string(), z.string()).optional(),
  /** Ends by itself after this time. */
  runMs: z.number().optional(),
});

/** Programs by their command line, its words joined by blanks. Without any table every command is there whose name has no blank. */
export const terminalsSchema = z.record(z.string(), terminalSchema);

export interface ScriptedOrder extends TerminalOrder {
  readonly clock: Clock;
  readonly terminals: z.infer<typeof terminalsSchema> | undefined;
}

/** Opens the terminal of a command; a command that is not in the table is not in the container. */
export function openScriptedTerminal({ clock, terminals, command, size, ended }: ScriptedOrder): Terminal {
  const [program = ''] = command;
  const script = terminals === undefined ? {} : terminals[command.join(' ')];
  if (script === undefined || program.includes(' '))
    return failedTerminal(`exec: "${program}": no such file or directory`);
  if (script.startFault !== undefined) return failedTerminal(script.startFault);
  const shown = new PassThrough();
  const over = (): void => void shown.end();
  void ended.then(over);
  if (script.runMs !== undefined) clock.schedule(script.runMs, over);
  const show = (text: string): void => void (shown.writable && shown.write(text));
  show(script.prompt ?? '');
  const line = new LineDiscipline({
    show,
    over,
    entered: (text) => {
      if (text === 'exit') return over();
      const answer = script.answers?.[text] ?? '';
      show(answer.replaceAll('{rows}', String(size.rows)).replaceAll('{columns}', String(size.columns)));
      show(script.prompt ?? '');
    },
  });
  return {
    output: bytesOf(shown),
    type: async (bytes) => {
      for (const character of Buffer.from(bytes).toString()) line.type(character);
    },
  };
}

interface Discipline {
  readonly show: (text: string) => void;
  readonly over: () => void;
  readonly entered: (line: string) => void;
}

/** As much of a terminal's line discipline as can be seen: echo, Enter, Ctrl-C, Ctrl-D. */
class LineDiscipline {
  readonly #does: Discipline;
  #line = '';

  constructor(does: Discipline) {
    this.#does = does;
  }

  type(character: string): void {
    const { show, over, entered } = this.#does;
    const line = this.#line;
    if (character === '\u0004' && line === '') return over();
    if (character === '\u0003') show('^C\r\n');
    else if (character === '\r' || character === '\n') show('\r\n');
    else {
      this.#line += character;
      return show(character);
    }
    this.#line = '';
    if (character !== '\u0003') entered(line);
  }
}
