/** A node's port over real TLS, with an API server that knows one pod, an app that hands out sessions, and an ACI that serves them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import type { AppAnswer } from '../../infra/cluster/relay/app/app-client.ts';
import type { KubeletContext } from '../../infra/cluster/relay/kubelet/call.ts';
import { KubeletPort } from '../../infra/cluster/relay/kubelet/kubelet-port.ts';
import { Reviews } from '../../infra/cluster/relay/kubelet/reviews.ts';
import { StreamSessions } from '../../infra/cluster/relay/kubelet/stream-sessions.ts';
import type { StreamTimes } from '../../infra/cluster/relay/kubelet/stream-times.ts';
import { createCertificateAuthority, issueCertificate } from '../../infra/local/pki.ts';
import { defined } from '../../shared/core/defined.ts';
import type { TerminalSize } from '../../shared/core/streams/stream-session.ts';
import type { StreamTarget } from '../../shared/wire/relay-protocol/paths.ts';
import { cannedServer } from '../adapters/kubernetes/canned-server.ts';
import type { Canned, CannedServer, Received } from '../adapters/kubernetes/canned-server.ts';
import { FakeAci } from './fake-aci.ts';
import { SpdyClient } from './spdy-client.ts';

export interface Refusal {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface RigOptions {
  readonly times?: Partial<StreamTimes>;
  readonly mostSessions?: number;
}

const authority = await createCertificateAuthority('streams');
/** Of everything in it that serves. */
export const serverPair = await issueCertificate(authority, {
  commonName: 'server',
  ipAddresses: ['127.0.0.1'],
  usages: ['server'],
});

/** It vouches for everything in it that serves. */
export const authorityPem = authority.certPem;

const runningState = { running: { startedAt: '2026-11-23T11:00:00Z' } };

export class StreamRig {
  readonly aci: FakeAci;
  readonly api: CannedServer;
  readonly port: KubeletPort;
  readonly sessions: StreamSessions;
  readonly logged: string[];
  readonly #dir: string;
  readonly #state: RigState;

  private constructor(
    parts: Pick<StreamRig, 'aci' | 'api' | 'port' | 'sessions' | 'logged'> & { dir: string; state: RigState },
  ) {
    this.aci = parts.aci;
    this.api = parts.api;
    this.port = parts.port;
    this.sessions = parts.sessions;
    this.logged = parts.logged;
    this.#dir = parts.dir;
    this.#state = parts.state;
  }

  static async open({ times = {}, mostSessions }: RigOptions = {}): Promise<StreamRig> {
    const dir = mkdtempSync(join(tmpdir(), 'streams-'));
    const file = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    };
    const aci = await FakeAci.start(serverPair);
    const state: RigState = {
      state: runningState,
      lastState: undefined,
      container: {},
      podIP: '127.0.0.1',
      phase: 'Running',
      uid: 'u1',
      asked: [],
      offered: [],
      answers: [],
      dial: { kind: 'answer', status: 200, body: '{"reached":true}', retryAfterMs: undefined },
    };
    const api = await cannedServer((received) => answer(state, received));
    const logged: string[] = [];
    const note = (message: string, fields?: object): void => void logged.push(JSON.stringify({ message, ...fields }));
    const sessions = new StreamSessions(mostSessions);
    const context: KubeletContext = {
      node: 'aci-1',
      client: api.client,
      app: {
        getLogs: () => Promise.reject(new Error('no logs here')),
        openStream: opener(state, aci),
        dialSession: () => Promise.resolve(state.dial),
      },
      log: { info: note, warn: note },
      sessions,
      aciCaPem: authority.certPem,
      times,
    };
    const port = await KubeletPort.open({
      context,
      reviews: new Reviews(api.client),
      files: {
        certFile: file('tls.crt', serverPair.certPem),
        keyFile: file('tls.key', serverPair.keyPem),
        clientCaFile: file('ca.crt', authority.certPem),
      },
      address: '127.0.0.1',
      port: 0,
    });
    return new StreamRig({ aci, api, port, sessions, logged, dir, state });
  }

  async close(): Promise<void> {
    await this.sessions.close();
    await this.port.close();
    await this.aci.close();
    await this.api[Symbol.asyncDispose]();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** What the pod is from now on. */
  set(
    changes: Partial<Pick<RigState, 'state' | 'lastState' | 'podIP' | 'phase' | 'uid' | 'container' | 'dial'>>,
  ): void {
    Object.assign(this.#state, changes);
  }

  /** What the app answers next, instead of a session. */
  answerNext(...answers: readonly AppAnswer[]): void {
    this.#state.answers.push(...answers);
  }

  get asked(): readonly { readonly target: StreamTarget; readonly size: TerminalSize | undefined }[] {
    return this.#state.asked;
  }

  get offered(): readonly (readonly string[])[] {
    return this.#state.offered;
  }

  /** Upgrades to SPDY, or is refused it. */
  async spdy(
    path: string,
    versions: readonly string[] = ['v4.channel.k8s.io'],
    { user = 'admin', method = 'POST' }: { readonly user?: string; readonly method?: string } = {},
  ): Promise<SpdyClient | Refusal> {
    const { promise, resolve, reject } = Promise.withResolvers<SpdyClient | Refusal>();
    const headers = {
      connection: 'Upgrade',
      upgrade: 'SPDY/3.1',
      authorization: `Bearer ${user}`,
      ...(versions.length === 0 ? {} : { 'x-stream-protocol-version': versions.join(', ') }),
    };
    const sent = this.#request({ path, method, headers });
    sent.on('upgrade', (_, socket, head) => resolve(new SpdyClient(socket, head)));
    sent.on('response', (response) => void refusalOf(response).then(resolve));
    sent.on('error', reject).end();
    return promise;
  }

  /** Opens a WebSocket, or is refused it. */
  async webSocket(path: string, protocols: readonly string[], user = 'admin'): Promise<WebSocket | Refusal> {
    const { promise, resolve, reject } = Promise.withResolvers<WebSocket | Refusal>();
    const socket = new WebSocket(`wss://127.0.0.1:${this.port.port}${path}`, [...protocols], {
      ca: authority.certPem,
      headers: { authorization: `Bearer ${user}` },
    });
    socket.on('open', () => resolve(socket));
    socket.on('unexpected-response', (_, response) => void refusalOf(response).then(resolve));
    socket.on('error', reject);
    return promise;
  }

  /** An ordinary request. */
  async call(path: string, method = 'POST', user = 'admin'): Promise<Refusal> {
    const { promise, resolve, reject } = Promise.withResolvers<Refusal>();
    const sent = this.#request({ path, method, headers: { authorization: `Bearer ${user}` } });
    sent.on('response', (response) => void refusalOf(response).then(resolve));
    sent.on('error', reject).end();
    return promise;
  }

  #request(options: RequestOptions): ClientRequest {
    return request({ host: '127.0.0.1', port: this.port.port, agent: false, ca: authority.certPem, ...options });
  }
}

interface RigState {
  state: object;
  lastState: object | undefined;
  /** More of its spec. */
  container: object;
  podIP: string | undefined;
  phase: string;
  uid: string;
  readonly asked: { readonly target: StreamTarget; readonly size: TerminalSize | undefined }[];
  /** The far ends that were offered, each time. */
  readonly offered: (readonly string[])[];
  readonly answers: AppAnswer[];
  /** What the app says of its own way to sessions. */
  dial: AppAnswer;
}

const opener =
  (state: RigState, aci: FakeAci): KubeletContext['app']['openStream'] =>
  async (target, wish) => {
    state.asked.push({ target, size: wish.terminalSize });
    state.offered.push(wish.farEnds);
    const next = state.answers.shift();
    if (next !== undefined) return next;
    const session = aci.session(wish);
    const refused = { error: { code: 'NoAgent', message: 'no agent' } };
    return {
      kind: 'answer',
      status: session === undefined ? 404 : 200,
      body: JSON.stringify(session ?? refused),
      retryAfterMs: undefined,
    };
  };

function answer(state: RigState, { url, body }: Received): Canned {
  if (url.pathname.endsWith('/tokenreviews')) {
    const { token } = JSON.parse(body).spec;
    return { body: { kind: 'TokenReview', status: { authenticated: true, user: { username: token, groups: [] } } } };
  }
  if (url.pathname.endsWith('/subjectaccessreviews')) {
    const { user, resourceAttributes } = JSON.parse(body).spec;
    const allowed = user === 'admin' || (user === 'reader' && resourceAttributes.verb === 'get');
    return { body: { kind: 'SubjectAccessReview', status: { allowed } } };
  }
  const isOurs = (url.searchParams.get('fieldSelector') ?? '').startsWith('metadata.name=p,');
  return { body: { kind: 'PodList', metadata: {}, items: isOurs ? [podOf(state)] : [] } };
}

const podOf = ({ state, lastState, container, podIP, phase, uid }: RigState): object => ({
  metadata: { name: 'p', namespace: 'ns', uid },
  spec: {
    nodeName: 'aci-1',
    containers: [
      { name: 'c', image: 'i', ...container },
      { name: 'starting', image: 'i' },
    ],
    ephemeralContainers: [{ name: 'debugger', image: 'i' }],
  },
  status: {
    phase,
    ...defined({ podIP }),
    containerStatuses: [
      { name: 'c', state, ...defined({ lastState }), restartCount: 0 },
      { name: 'starting', state: { waiting: { reason: 'CrashLoopBackOff' } }, restartCount: 3 },
    ],
  },
});

async function refusalOf(response: IncomingMessage): Promise<Refusal> {
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}
