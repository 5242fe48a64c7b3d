import { once } from 'node:events';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { ClusterEndpoint } from '../../cluster/kubeconfig.ts';

export interface ApiReader {
  /** The whole answer; a status other than 200 is an error. */
  get(path: string, signal: AbortSignal): Promise<string>;
  /** The answer line by line, until the server ends it. */
  lines(path: string, signal: AbortSignal): AsyncGenerator<string>;
}

/** Longer than the API server leaves a watch without a sign of life; a connection that died unseen is noticed by it. */
const silenceMs = 900_000;
const answerMs = 30_000;

/** Reads from one API server, with a token that is the same for ever. */
export function createApiReader(endpoint: ClusterEndpoint, token: string): ApiReader {
  const open = async (path: string, signal: AbortSignal): Promise<IncomingMessage> => {
    const outgoing = request(new URL(endpoint.url + path), {
      agent: false,
      ...(endpoint.caPem === '' ? {} : { ca: endpoint.caPem }),
      headers: { accept: 'application/json', authorization: `Bearer ${token}` },
      signal,
      timeout: answerMs,
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('the API server says nothing')));
    outgoing.on('error', ignore);
    outgoing.end();
    const [incoming]: IncomingMessage[] = await once(outgoing, 'response');
    if (incoming === undefined) throw new Error('no answer');
    incoming.on('error', ignore);
    outgoing.setTimeout(silenceMs);
    if (incoming.statusCode === 200) return incoming;
    incoming.resume();
    throw new Error(`GET ${path.split('?')[0]} answered ${incoming.statusCode}`);
  };
  return {
    get: async (path, signal) => {
      let text = '';
      for await (const chunk of (await open(path, signal)).setEncoding('utf8')) text += String(chunk);
      return text;
    },
    lines: async function* (path, signal) {
      let rest = '';
      for await (const chunk of (await open(path, signal)).setEncoding('utf8')) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        yield* lines;
      }
    },
  };
}

/** Whoever reads the answer sees it; an error that nobody listens to would end the program. */
function ignore(): void {}
