import { randomBytes } from 'node:crypto';
import { defaultTerminalSize } from '../../../../../shared/core/streams/stream-session.ts';
import type { TerminalSize } from '../../../../../shared/core/streams/stream-session.ts';
import { sleep } from '../../sleep.ts';
import type { KubeletContext, KubeletHandler } from '../call.ts';
import { openSession } from '../open-session.ts';
import { serveCommand } from '../serve-command.ts';
import type { Command } from '../serve-command.ts';
import { farFailure } from '../shell/sentences.ts';
import { runInShell } from '../shell/shell-session.ts';
import { streamTimes } from '../stream-times.ts';
import type { Outcome } from '../streams/command-streams.ts';

/** Of the number by which a session's own reports differ from what its command writes. */
const nonceBytes = 12;

/** `/exec/{namespace}/{pod}[/{uid}]/{container}`: `kubectl exec` and `cp`, over a session of ACI's. */
export const exec: KubeletHandler = (context, call) =>
  serveCommand(context, call, {
    kind: 'exec',
    run,
    whenOver: farFailure('the container has ended, or its pod is gone'),
  });

async function run(context: KubeletContext, command: Command): Promise<Outcome> {
  const times = streamTimes(context);
  const { target, options, words, streams, signal } = command;
  const size = options.tty ? await firstSize(command, times.sizeMs) : defaultTerminalSize;
  const opened = await openSession(context, target, { terminalSize: size, signal });
  if (!opened.ok) return farFailure(opened.message);
  const { socket: terminal } = opened;
  try {
    return await runInShell({
      terminal,
      command: { words, tty: options.tty, hasStdin: options.stdin, size },
      streams,
      signal,
      nonce: randomBytes(nonceBytes).toString('hex'),
      beginMs: times.beginMs,
    });
  } finally {
    terminal.close();
  }
}

/** ACI makes a terminal once, of one size: that of the client's window, if it comes soon. */
async function firstSize({ streams, signal }: Command, sizeMs: number): Promise<TerminalSize> {
  const waited = new AbortController();
  const wait = async (): Promise<undefined> => {
    await sleep(sizeMs, AbortSignal.any([signal, waited.signal]));
    return undefined;
  };
  const size = await Promise.race([streams.nextSize(), wait()]);
  waited.abort();
  return size ?? defaultTerminalSize;
}
