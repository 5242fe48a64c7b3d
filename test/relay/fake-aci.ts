/** Sessions as ACI gives them: a shell behind a terminal for an exec, the output of a container for an attach. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import type { KeyPair } from '../../infra/local/pki.ts';
import type { StreamAnswer } from '../../shared/wire/relay-protocol/stream-session.ts';
import type { SessionWish } from '../../infra/cluster/relay/app/app-client.ts';
import type { FarEnd, TerminalSize } from '../../shared/core/streams/stream-session.ts';

/** What happens to a session that is connected to. */
export type Behaviour =
  /** A shell behind a terminal, by its command line. */
  | { readonly kind: 'shell'; readonly shell: string }
  /** Nothing, ever. */
  | { readonly kind: 'silent' }
  /** A few words, then the end: as where the image has no such program. */
  | { readonly kind: 'words'; readonly text: string }
  /** The upgrade is refused with a status. */
  | { readonly kind: 'refused'; readonly status: number };

const textOf = (data: RawData): string =>
  Buffer.concat(
    [data].flat().map((part) => Buffer.from(part instanceof ArrayBuffer ? new Uint8Array(part) : part)),
  ).toString('latin1');

interface Order {
  readonly farEnd: FarEnd;
  readonly size: TerminalSize | undefined;
}

const mostBuffered = 1024 * 1024;

export class FakeAci {
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #orders = new Map<string, Order>();
  readonly #children = new Set<ChildProcess>();
  readonly #attached: WebSocket[] = [];
  behaviour: Behaviour = { kind: 'shell', shell: '/bin/sh' };
  /** Command lines of the agent's words, where the group has one. */
  agent: Readonly<Record<'agent' | 'ports', string>> | undefined;
  /** What becomes of what the far end says, on its way. */
  meddle: (bytes: Buffer) => Buffer = (bytes) => bytes;
  /** Sizes of the messages that came after the password. */
  readonly received: number[] = [];
  /** Sessions whose password was wrong, or shown in the wrong place. */
  strangers = 0;
  #count = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on('upgrade', (request, socket, head) => {
      if (this.behaviour.kind === 'refused') {
        socket.end(`HTTP/1.1 ${this.behaviour.status} No\r\ncontent-length: 0\r\n\r\n`);
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (web) => this.#serve(web, request));
    });
  }

  static async start({ certPem, keyPem }: KeyPair): Promise<FakeAci> {
    const server = createServer({ cert: certPem, key: keyPem });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve());
    });
    return new FakeAci(server);
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  }

  get running(): number {
    return this.#children.size;
  }

  /** Sockets that are open. */
  get connected(): number {
    return this.#sockets.clients.size;
  }

  /** One session, as the app gives it; undefined: it gives none. */
  session({ kind, terminalSize, farEnds }: SessionWish): StreamAnswer | undefined {
    const wanted = kind === 'portforward' ? 'ports' : 'agent';
    const hasAgent = this.agent !== undefined && farEnds.includes(wanted);
    if (kind === 'portforward' && !hasAgent) return undefined;
    const farEnd = hasAgent ? wanted : kind === 'attach' ? 'output' : 'shell';
    this.#count += 1;
    const password = `9Nrd>l[y!${this.#count}[[EOM]]`;
    this.#orders.set(password, { farEnd, size: terminalSize });
    const folder = farEnd === 'output' ? 'logstream' : 'execstream';
    const webSocketUri = `wss://127.0.0.1:${this.port}/${folder}/sessionId/${this.#count}?api-version=1.0`;
    return { webSocketUri, password, farEnd };
  }

  /** The container writes. */
  write(text: string): void {
    for (const socket of this.#attached) socket.send(text);
  }

  /** The container ends. */
  endOutput(): void {
    for (const socket of this.#attached.splice(0)) socket.close();
  }

  get attached(): number {
    return this.#attached.length;
  }

  /** Cuts all sessions, as a network does. */
  cut(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    this.cut();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #serve(socket: WebSocket, { url = '', headers }: IncomingMessage): void {
    socket.on('error', () => undefined);
    if (url.startsWith('/logstream/')) {
      if (!this.#orders.delete(headers.authorization ?? '')) return this.#refuse(socket);
      this.#attached.push(socket);
      return;
    }
    socket.once('message', (data, isBinary) => {
      const password = textOf(data);
      const { farEnd, size } = this.#orders.get(password) ?? {};
      if (isBinary || farEnd === undefined || size === undefined || headers.authorization !== undefined)
        return this.#refuse(socket);
      this.#orders.delete(password);
      socket.send('');
      this.#behave(socket, { farEnd, size });
    });
  }

  #refuse(socket: WebSocket): void {
    this.strangers += 1;
    socket.close(1008);
  }

  #behave(socket: WebSocket, { farEnd, size }: { readonly farEnd: FarEnd; readonly size: TerminalSize }): void {
    socket.on('message', (data) => this.received.push(textOf(data).length));
    const word = farEnd === 'agent' || farEnd === 'ports' ? this.agent?.[farEnd] : undefined;
    if (word !== undefined && this.behaviour.kind === 'shell') return this.#runShell(socket, size, word);
    switch (this.behaviour.kind) {
      case 'shell':
        return this.#runShell(socket, size, this.behaviour.shell);
      case 'words':
        socket.send(this.behaviour.text);
        return socket.close();
      case 'silent':
      case 'refused':
    }
  }

  #runShell(socket: WebSocket, { rows, columns }: TerminalSize, shell: string): void {
    const command = `stty rows ${rows} cols ${columns}; exec ${shell}`;
    const child = spawn('script', ['-qfec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#children.add(child);
    child.stdin.on('error', () => undefined);
    // As seen: now text, now binary, cut anywhere.
    child.stdout.on('data', (chunk: Buffer) => {
      socket.send(this.meddle(chunk), { binary: chunk.length % 2 === 0 });
      if (socket.bufferedAmount < mostBuffered) return;
      child.stdout.pause();
      const wait = setInterval(() => {
        if (socket.bufferedAmount > 0 && socket.readyState === socket.OPEN) return;
        clearInterval(wait);
        child.stdout.resume();
      }, 5);
    });
    socket.on('message', (data) => {
      const typed = textOf(data).replace('exec /bin/sh -c', `exec ${shell} -c`);
      child.stdin.write(Buffer.from(typed, 'latin1'));
    });
    socket.on('close', () => child.kill('SIGKILL'));
    child.on('close', () => {
      this.#children.delete(child);
      socket.close();
    });
  }
}
