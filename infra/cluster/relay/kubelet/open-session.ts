import type { FarEnd } from '../../../../shared/core/streams/stream-session.ts';
import type { StreamKind, StreamTarget } from '../../../../shared/wire/relay-protocol/paths.ts';
import type { SessionWish } from '../app/app-client.ts';
import { sleep } from '../sleep.ts';
import { dialSession } from './aci/session-socket.ts';
import type { SessionSocket } from './aci/session-socket.ts';
import { readAppStream } from './app-stream.ts';
import type { AppStream } from './app-stream.ts';
import type { KubeletContext } from './call.ts';
import { streamTimes } from './stream-times.ts';

/** A session that is connected, and what is at its far end. */
export type OpenedSession =
  | { readonly ok: true; readonly socket: SessionSocket; readonly farEnd: FarEnd }
  | {
      readonly ok: false;
      readonly message: string;
      /** The app gives no such session. */
      readonly isUnknown: boolean;
    };

/** What each relay can speak to. */
const always: Readonly<Record<StreamKind, readonly FarEnd[]>> = {
  exec: ['shell'],
  attach: ['output'],
  portforward: [],
};

/** Asks the app for a session, patiently while Azure's limits or a starting app are in the way, and connects to it. */
export async function openSession(
  context: KubeletContext,
  target: StreamTarget,
  { signal, ...wish }: SessionWish & { readonly signal: AbortSignal },
): Promise<OpenedSession> {
  const times = streamTimes(context);
  const giveUpAt = performance.now() + times.patienceMs;
  let answer: AppStream;
  for (;;) {
    answer = readAppStream(await context.app.openStream(target, wish, signal));
    if (answer.kind === 'session' || answer.againMs === undefined) break;
    if (signal.aborted || performance.now() + answer.againMs > giveUpAt) break;
    await sleep(answer.againMs, signal);
  }
  if (answer.kind === 'refused') return { ok: false, message: answer.message, isUnknown: answer.isUnknown };
  const { session } = answer;
  const { farEnd } = session;
  if (!always[wish.kind].includes(farEnd) && !wish.farEnds.some((one) => one === farEnd))
    return { ok: false, message: 'the function app gave a session of a kind that was not asked for', isUnknown: false };
  const kind = farEnd === 'output' ? 'attach' : 'exec';
  const dialled = await dialSession({ session, kind, caPem: context.aciCaPem, connectMs: times.connectMs, signal });
  return dialled.ok ? { ...dialled, farEnd } : { ...dialled, isUnknown: false };
}
