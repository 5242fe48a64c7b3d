import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KubernetesClient } from '../../../../shared/adapters/kubernetes/http.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import type { AppClient } from '../app/app-client.ts';
import type { MetricsDoor } from './metrics-door.ts';
import type { ServingKeys } from './serving-files.ts';
import type { StreamSessions } from './stream-sessions.ts';
import type { StreamTimes } from './stream-times.ts';
import type { Upgrade } from './upgrade.ts';

/** What all handlers of a node's port share. */
export interface KubeletContext {
  readonly node: string;
  readonly client: KubernetesClient;
  readonly app: Pick<AppClient, 'getLogs' | 'openStream' | 'dialSession'>;
  readonly log: Log;
  /** Absent: nobody measures. */
  readonly metrics?: MetricsDoor;
  /** Of the whole relay. */
  readonly sessions: StreamSessions;
  /** PEM of an authority that sessions of containers are trusted by, besides the system's. */
  readonly aciCaPem?: string;
  /** How often a followed log is asked for; 2 s unless given. */
  readonly followEveryMs?: number;
  /** Others than usual. */
  readonly times?: Partial<StreamTimes>;
}

/** One authenticated and authorized request. */
export interface KubeletCall {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Of a client that asked for another protocol. */
  readonly upgrade: Upgrade | undefined;
  /** Aborts when the client is gone, or the relay stops. */
  readonly signal: AbortSignal;
  readonly caller: Caller;
}

/** By which port a call came, and whether by another replica of the relay. */
export interface Caller {
  readonly isPeer: boolean;
  readonly port: number;
  readonly keys: ServingKeys;
}

/** Answers the call; may take its time, never rejects but on a bug. */
export type KubeletHandler = (context: KubeletContext, call: KubeletCall) => Promise<void> | void;

/** A whole answer of plain text, as a kubelet's. */
export function answerText(response: ServerResponse, status: number, text: string, headers = {}): void {
  const body = Buffer.from(text.endsWith('\n') || text === '' ? text : `${text}\n`);
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(body.length),
    ...headers,
  });
  response.end(body);
}

/** Writes and waits until the client has taken it, or is gone. */
export async function writeAll(response: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (text === '' || signal.aborted || response.destroyed || response.write(text)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => resolve();
  response.once('drain', end);
  signal.addEventListener('abort', end, { once: true });
  await promise;
  response.off('drain', end);
  signal.removeEventListener('abort', end);
}
