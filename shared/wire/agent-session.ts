/** What a caller of the agent's words and the agent say to each other in JSON (infra/agent/README.md, "One word, then a terminal"). */
import * as z from 'zod';
import { mostPayload } from '../core/streams/agent-frames.ts';
import type { TerminalSize } from '../core/streams/stream-session.ts';
import { parseJson } from './json-text.ts';

const textOf = (payload: Uint8Array): string => Buffer.from(payload).toString('utf8');

const hello = z.object({
  version: z.literal(1),
  /** How much input may be on its way to a command, in bytes. */
  window: z
    .int()
    .min(mostPayload)
    .max(16 * 1024 * 1024),
});
export type AgentHello = z.infer<typeof hello>;

/** Undefined: it is none, or of a version that nobody here speaks. */
export const parseAgentHello = (json: string): AgentHello | undefined => hello.safeParse(parseJson(json)).data;

/** What both kinds of commands are asked for with. */
interface Common {
  /** Comes back when it has begun. */
  readonly nonce: string;
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly size: TerminalSize;
  /** After so long without a frame the agent ends what was asked for. */
  readonly keepAliveSeconds: number;
}

export type AgentRequest =
  /** A command in the container. */
  | ({ readonly kind: 'command'; readonly argv: readonly string[] } & Common)
  /** The container's own input and output. */
  | ({ readonly kind: 'attach' } & Common)
  /** What was kept of the output of the run before. */
  | { readonly kind: 'log-before'; readonly nonce: string; readonly keepAliveSeconds: number }
  /** Connections to ports of the group. */
  | { readonly kind: 'ports'; readonly nonce: string; readonly keepAliveSeconds: number };

const mostLineBytes = 1024 * 1024;

/** The one line that is sent after the hello, its end included; undefined: it is longer than the agent reads. */
export function formatAgentRequest(request: AgentRequest): Buffer | undefined {
  const line = Buffer.from(`${JSON.stringify(fieldsOf(request))}\n`);
  return line.length < mostLineBytes ? line : undefined;
}

function fieldsOf(request: AgentRequest): object {
  const { nonce, keepAliveSeconds } = request;
  if (request.kind === 'ports') return { nonce, keepAliveSeconds };
  if (request.kind === 'log-before') return { nonce, logBefore: true, keepAliveSeconds };
  const { stdin, tty, size } = request;
  const what = request.kind === 'command' ? { argv: request.argv } : { attach: true };
  return { nonce, ...what, stdin, tty, rows: size.rows, cols: size.columns, keepAliveSeconds };
}

/** A command's words as JSON can say them; undefined: one is no UTF-8, or holds a NUL. */
export function argvOf(words: readonly Uint8Array[]): readonly string[] | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    const argv = words.map((word) => decoder.decode(word));
    return argv.some((word) => word.includes('\0')) ? undefined : argv;
  } catch {
    return undefined;
  }
}

const begun = z.object({ nonce: z.string(), pid: z.int().min(0) });
const exit = z.object({ exitCode: z.int().min(0).max(255), signal: z.int().min(1).exactOptional() });
const fault = z.object({ reason: z.string(), message: z.string() });

export type AgentExit = z.infer<typeof exit>;
export type AgentFault = z.infer<typeof fault>;

/** That what was asked for with this nonce has begun. */
export const isBegun = (payload: Uint8Array, nonce: string): boolean =>
  begun.safeParse(parseJson(textOf(payload))).data?.nonce === nonce;

/** How a command ended. Undefined: it is no such frame. */
export const parseAgentExit = (payload: Uint8Array): AgentExit | undefined =>
  exit.safeParse(parseJson(textOf(payload))).data;

/** Why there is no command, or none any more. Undefined: it is no such frame. */
export const parseAgentFault = (payload: Uint8Array): AgentFault | undefined =>
  fault.safeParse(parseJson(textOf(payload))).data;
