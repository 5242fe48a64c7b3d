import { defaultTerminalSize } from '../../../../shared/core/streams/stream-session.ts';
import type { TerminalSize } from '../../../../shared/core/streams/stream-session.ts';
import { sleep } from '../sleep.ts';
import type { KubeletContext } from './call.ts';
import type { Command } from './serve-command.ts';
import { streamTimes } from './stream-times.ts';

/** That of the client's window, if it has one and says it soon: ACI makes a terminal once, and of one size. */
export async function firstSize(context: KubeletContext, { options, streams, signal }: Command): Promise<TerminalSize> {
  if (!options.tty) return defaultTerminalSize;
  const waited = new AbortController();
  const wait = async (): Promise<undefined> => {
    await sleep(streamTimes(context).sizeMs, AbortSignal.any([signal, waited.signal]));
    return undefined;
  };
  const size = await Promise.race([streams.nextSize(), wait()]);
  waited.abort();
  return size ?? defaultTerminalSize;
}
