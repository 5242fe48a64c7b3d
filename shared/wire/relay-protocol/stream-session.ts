import * as z from 'zod';
import { mostTerminalSide } from '../../core/streams/stream-session.ts';
import type { FarEnd, StreamSession, TerminalSize } from '../../core/streams/stream-session.ts';
import { parseJson } from '../json-text.ts';
import { parseUrl } from '../url-text.ts';

const mostUriLength = 4096;

/** Whether a text is where a session can be: over TLS, at a host, and without a credential in it. */
export function isStreamUri(text: string): boolean {
  const url = text.length > mostUriLength ? undefined : parseUrl(text);
  return url?.protocol === 'wss:' && url.hostname !== '' && url.username === '' && url.password === '';
}

const side = z.int().min(1).max(mostTerminalSide);
const request = z.strictObject({ terminalSize: z.strictObject({ columns: side, rows: side }) });

/** The body of `POST …/exec`, and of the others where the agent may be at the far end. */
export interface StreamRequest {
  readonly terminalSize: TerminalSize;
}

/** Undefined: it is none. */
export const parseStreamRequest = (body: string): StreamRequest | undefined => request.safeParse(parseJson(body)).data;

const answer = z.object({
  webSocketUri: z.string().refine(isStreamUri),
  password: z.string().max(mostUriLength),
  farEnd: z.enum(['shell', 'output', 'agent', 'ports'] satisfies readonly FarEnd[]),
});

/** The app's answer to `POST …/exec`, `…/attach` and `…/portforward`: one session, and what to speak over it. */
export interface StreamAnswer extends StreamSession {
  readonly farEnd: FarEnd;
}

/** The JSON body of the answer. */
export const formatStreamAnswer = ({ webSocketUri, password, farEnd }: StreamAnswer): z.input<typeof answer> => ({
  webSocketUri,
  password,
  farEnd,
});

/** Undefined: it is not the app's, or of one that knows a far end which this relay does not. */
export const parseStreamAnswer = (body: string): StreamAnswer | undefined => answer.safeParse(parseJson(body)).data;
