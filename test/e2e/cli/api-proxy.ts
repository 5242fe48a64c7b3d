/** Sits between the command line and an API server: answers some requests itself, and lets some wait for ever. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ControlPlane } from '../../../infra/local/cluster/control-plane.ts';

/** One request as a rule sees it: `POST /api/v1/namespaces`, without the query. */
type Rule = (line: string) => object | undefined;

export interface ApiProxy {
  readonly url: string;
  /** Answers these requests with what the rule gives. */
  answer(rule: Rule): void;
  /** From now on a request whose line matches is not passed on and not answered; resolves when the first came. */
  hold(line: RegExp): Promise<void>;
  /** All requests pass again; those that wait are cut off. */
  release(): void;
  stop(): Promise<void>;
}

export async function startApiProxy(cluster: ControlPlane): Promise<ApiProxy> {
  const pair = await cluster.issueCertificate({ commonName: 'proxy', ipAddresses: ['127.0.0.1'], usages: ['server'] });
  const agent = new Agent({ keepAlive: true, ca: cluster.caPem });
  let rule: Rule = () => undefined;
  let held: { readonly line: RegExp; readonly came: () => void } | undefined;
  const waiting = new Set<ServerResponse>();
  const server = createServer({ cert: pair.certPem, key: pair.keyPem }, (incoming, outgoing) => {
    const line = `${incoming.method ?? ''} ${(incoming.url ?? '').split('?')[0] ?? ''}`;
    const own = rule(line);
    if (own !== undefined) {
      outgoing.setHeader('content-type', 'application/json').end(JSON.stringify(own));
      return;
    }
    if (held?.line.test(line) === true) {
      waiting.add(outgoing);
      held.came();
      return;
    }
    passOn({ url: cluster.url, agent }, incoming, outgoing);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const release = (): void => {
    held = undefined;
    for (const outgoing of waiting) outgoing.destroy();
    waiting.clear();
  };
  return {
    url: `https://127.0.0.1:${port}`,
    answer: (own) => {
      rule = own;
    },
    hold: (line) =>
      new Promise((came) => {
        held = { line, came };
      }),
    release,
    stop: () =>
      new Promise((resolve) => {
        release();
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function passOn(
  to: { readonly url: string; readonly agent: Agent },
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const { method, headers } = incoming;
  const onward = request(`${to.url}${incoming.url ?? ''}`, { method, headers, agent: to.agent }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.once('error', () => outgoing.destroy());
  outgoing.once('close', () => onward.destroy());
  incoming.pipe(onward);
}
