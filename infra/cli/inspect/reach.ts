import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { instantMs } from '../../../shared/core/status/time.ts';
import type { ReachFacts } from './cluster-judgements.ts';

/** One question to a server, without a credential: how far it came, and what time it is there. */
export interface Reached {
  readonly facts: ReachFacts;
  /** How far the server's clock is ahead of this machine's; undefined when it reported no time. */
  readonly aheadSeconds?: number;
}

const patienceMs = 10_000;

/** GET of an `https://` URL; any answer is an answer. `caPem`: the only authority that is trusted. Never rejects. */
export function reach(
  url: string,
  options: { readonly caPem?: string | undefined; readonly signal: AbortSignal },
): Promise<Reached> {
  const startedMs = Date.now();
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(patienceMs)]);
  const ca = options.caPem === undefined ? {} : { ca: options.caPem };
  return new Promise((resolve) => {
    const call = request(url, { ...ca, signal, agent: false }, (answer) => {
      answer.resume();
      resolve(answered(answer, (startedMs + Date.now()) / 2));
    });
    let isConnected = false;
    call.once('socket', (socket) => socket.once('secureConnect', () => (isConnected = true)));
    call.once('error', (error) => resolve({ facts: brokenAt(error, isConnected) }));
    call.end();
  });
}

function answered(answer: IncomingMessage, middleMs: number): Reached {
  const facts: ReachFacts = { at: 'answered', status: answer.statusCode ?? 0 };
  const serverMs = instantMs(answer.headers.date);
  // The header has whole seconds: on average half of one is missing.
  return serverMs === undefined ? { facts } : { facts, aheadSeconds: Math.round((serverMs + 500 - middleMs) / 1000) };
}

const tcpCodes = ['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EACCES', 'EPERM'];

/** On which part of the way an error came. */
export function brokenAt(error: Error & { readonly code?: string }, isConnected: boolean): ReachFacts {
  const code = error.code ?? '';
  const reason = code === '' ? error.message : code;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return { at: 'dns', reason };
  if (tcpCodes.includes(code)) return { at: 'tcp', reason };
  if (isConnected) return { at: 'http', reason };
  if (/CERT|SELF_SIGNED|VERIFY|ISSUER|^ERR_TLS|^ERR_SSL|^EPROTO/.test(code)) return { at: 'tls', reason };
  // Nothing came back at all: packets are dropped on the way.
  return { at: code === 'ABORT_ERR' || code === '' ? 'tcp' : 'http', reason: 'no answer within 10 seconds' };
}
