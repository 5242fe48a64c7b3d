import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { z } from 'zod';

/** A command of a container, and where it runs. */
export interface Launch {
  readonly command: readonly [program: string, ...args: string[]];
  readonly environment: NodeJS.ProcessEnv;
  readonly home: string;
  /** Arguments of `bwrap` up to the command, from what the machine has at this moment; absent without bubblewrap. */
  readonly layOut?: () => readonly string[];
  /** Said in the container's log before anything of its own. */
  readonly note?: string;
  /** Whether it reads what is written to it; else it finds nothing to read. */
  readonly takesInput?: boolean;
}

export interface Launched {
  readonly child: ChildProcess;
  /** The process id of the command; undefined when the child itself is the command, or bubblewrap ended at once. */
  readonly innerPid: () => Promise<number | undefined>;
  /** Whether the command had its turn. Bubblewrap may fail before, and then ends as a command could: with 1. */
  readonly began: Promise<boolean>;
}

/**
 * How often a layout is tried. What the machine has may change while bubblewrap binds it: a file of /run goes, or the
 * mount of another container below it, and bubblewrap gives up. The next try lays out what is there then.
 */
export const launchAttempts = 10;

/** Starts bubblewrap with the command, or the command itself. A program that is missing is an `error` of the child. */
export function launch({ command, environment, home, layOut, takesInput = false }: Launch): Launched {
  const [program, ...args]: readonly [string, ...string[]] =
    layOut === undefined ? command : ['bwrap', '--info-fd', '3', '--block-fd', '4', ...layOut(), ...command];
  const child = spawn(program, args, {
    env: environment,
    cwd: home,
    // A group of its own: a Ctrl-C in the terminal is not for it, and a signal reaches its children.
    detached: true,
    stdio: [
      takesInput ? 'pipe' : 'ignore',
      'pipe',
      'pipe',
      ...(layOut === undefined ? [] : ['pipe' as const, 'pipe' as const]),
    ],
  });
  const [, , , info, gate] = child.stdio;
  if (!isSocket(info) || !isSocket(gate))
    return { child, innerPid: () => Promise.resolve(undefined), began: Promise.resolve(true) };
  const reported = textOf(info);
  return { child, innerPid: async () => innerPid(await reported), began: isPassed(gate) };
}

const isSocket = (stream: ChildProcess['stdio'][number]): stream is Duplex =>
  stream !== null && stream !== undefined && 'read' in stream && 'write' in stream;

function textOf(stream: Duplex): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    stream.on('data', (chunk: unknown) => (text += String(chunk)));
    stream.once('close', () => resolve(text));
  });
}

const infoSchema = z.object({ 'child-pid': z.number() });

/** Bubblewrap passes no signals on; it says which process is the command. */
const innerPid = (info: string): number | undefined =>
  info === '' ? undefined : infoSchema.parse(JSON.parse(info))['child-pid'];

/**
 * Bubblewrap waits for a byte when the layout is, right before the command. Read, the stream ends well; left unread by
 * one that ended before, it ends in a reset.
 */
function isPassed(gate: Duplex): Promise<boolean> {
  return new Promise((resolve) => {
    gate.once('end', () => resolve(true));
    for (const name of ['error', 'close'] as const) gate.once(name, () => resolve(false));
    gate.write('.');
    gate.resume();
  });
}
