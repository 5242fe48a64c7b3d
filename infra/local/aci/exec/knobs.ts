import { z } from 'zod';

/** What exec and attach do; may be changed while sessions are open, and holds for them too. */
export const execKnobs = z.strictObject({
  /**
   * What becomes of the one string that is the command (not documented): `word`, the name of a program with all its
   * blanks, which is the harder reading; `blanks`, words between blanks, with no quoting.
   */
  execSplit: z.enum(['word', 'blanks']),
  /** Messages of the client, after the password, that are longer are lost (reported in 2019, of 50 bytes); null: none is. */
  execMaxMessageBytes: z.number().int().min(1).nullable(),
  /** Nothing listens at the port, as behind a firewall that rejects; sessions that are open go on. */
  execUnreachable: z.boolean(),
  /** Connections end without a closing handshake (1006), not with 1000; both are seen. */
  execCloseAbruptly: z.boolean(),
  /** Whether output comes as binary or as text messages; both are seen. */
  execFrames: z.enum(['binary', 'text']),
  /** For how long a password is good (minutes, inferred). */
  execPasswordSeconds: z.number().int().min(1),
  /** How long a client may say nothing before the password. */
  execSilenceSeconds: z.number().int().min(1),
});
export type ExecKnobs = z.infer<typeof execKnobs>;

/** Knobs that nobody turned. */
export const defaultExecKnobs: ExecKnobs = {
  execSplit: 'word',
  execMaxMessageBytes: null,
  execUnreachable: false,
  execCloseAbruptly: false,
  execFrames: 'binary',
  execPasswordSeconds: 300,
  execSilenceSeconds: 60,
};

/** The knobs among other options. */
export function pickExecKnobs(options: ExecKnobs): ExecKnobs {
  const { execSplit, execMaxMessageBytes, execUnreachable, execCloseAbruptly } = options;
  const { execFrames, execPasswordSeconds, execSilenceSeconds } = options;
  return {
    execSplit,
    execMaxMessageBytes,
    execUnreachable,
    execCloseAbruptly,
    execFrames,
    execPasswordSeconds,
    execSilenceSeconds,
  };
}

/** The command line that a knob makes of the string. */
export function splitCommand(command: string, split: ExecKnobs['execSplit']): readonly string[] {
  return split === 'word' ? [command] : command.split(' ').filter((word) => word !== '');
}
