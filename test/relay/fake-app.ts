import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parsePodEvents } from '../../shared/wire/relay-protocol/pod-events.ts';
import type { PodEvents } from '../../shared/wire/relay-protocol/pod-events.ts';

/** A post that the app took, and when. */
export interface TakenPost extends PodEvents {
  readonly at: number;
}

export interface FakeAnswer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
}

/** The app's two HTTP functions as the relay sees them, on loopback; what they answer can be changed at any time. */
export class FakeApp {
  readonly posts: TakenPost[] = [];
  /** Every request, refused ones included: the path, and the Authorization header. */
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[] = [];
  /** Bodies that the app's own schema would refuse. */
  readonly malformed: string[] = [];
  /** Posts being answered now, and pods that were in two of them at once. */
  readonly overlapping: string[] = [];
  mostAtOnce = 0;
  nextTickInMs = 30_000;
  /** What Azure Monitor said; undefined: an app of before there were such questions. */
  metrics: object | undefined;
  /** What becomes of a post; undefined: it is taken. */
  refuse: (events: PodEvents) => FakeAnswer | undefined = () => undefined;
  /** The log of a container, by its path's last segments. */
  logs: (path: string) => FakeAnswer = () => ({ status: 200, body: '' });
  /** A session with a container, by the path and the body of its question. */
  streams: (path: string, body: string) => FakeAnswer = () => ({ status: 404 });
  readonly #server: Server;
  readonly #busy = new Map<string, number>();
  #atOnce = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const path = request.url ?? '';
        this.requests.push({ path, authorization: request.headers.authorization });
        // The Functions host loses bodies without a length.
        const body = request.headers['content-length'] === undefined ? '' : Buffer.concat(chunks).toString('utf8');
        void this.#answer(path, body, response);
      });
    });
  }

  static async start(): Promise<FakeApp> {
    const app = new FakeApp();
    await new Promise<void>((resolve) => app.#server.listen(0, '127.0.0.1', resolve));
    return app;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** UIDs that were taken at least once, in order. */
  get uids(): readonly string[] {
    return this.posts.flatMap(({ pods }) => pods.map(({ uid }) => uid));
  }

  get ticks(): readonly TakenPost[] {
    return this.posts.filter(({ kind }) => kind === 'tick');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(path: string, text: string, response: ServerResponse): Promise<void> {
    const { status, body = '', headers = {}, delayMs = 0 } = await this.#answerOf(path, text);
    await sleep(delayMs);
    response.writeHead(status, headers).end(body);
  }

  #answerOf(path: string, text: string): FakeAnswer | Promise<FakeAnswer> {
    if (path.endsWith('/pod-events')) return this.#events(text);
    return /\/(exec|attach)$/.test(path) ? this.streams(path, text) : this.logs(path);
  }

  async #events(body: string): Promise<FakeAnswer> {
    const parsed = parsePodEvents(body);
    if (!parsed.ok) {
      this.malformed.push(body);
      return { status: 400 };
    }
    const events = parsed.value;
    this.#enter(events);
    const refused = this.refuse(events);
    await sleep(refused?.delayMs ?? 5);
    this.#leave(events);
    if (refused !== undefined) return { ...refused, delayMs: 0 };
    this.posts.push({ ...events, at: performance.now() });
    const now = Date.UTC(2020, 0, 1);
    const at = (ms: number) => new Date(now + ms).toISOString();
    const { metrics } = this;
    const answer = { now: at(0), nextLookAt: at(this.nextTickInMs), unknownNodes: [], metrics };
    return { status: 200, body: JSON.stringify(answer) };
  }

  #enter(events: PodEvents): void {
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    for (const { uid } of events.pods) {
      const count = (this.#busy.get(uid) ?? 0) + 1;
      if (count > 1) this.overlapping.push(uid);
      this.#busy.set(uid, count);
    }
  }

  #leave(events: PodEvents): void {
    this.#atOnce -= 1;
    for (const { uid } of events.pods) this.#busy.set(uid, (this.#busy.get(uid) ?? 1) - 1);
  }
}

/** Waits until `what` holds; rejects with `name` when it does not within `withinMs`. */
export async function until(name: string, what: () => boolean | Promise<boolean>, withinMs = 25_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await what())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${name}`);
    await sleep(20);
  }
}
