/** Azure's clients of exec and attach: a WebSocket, a password, bytes. */
import { once } from 'node:events';
import { vi } from 'vitest';
import { WebSocket } from 'ws';
import { bytesOf } from '../../../infra/local/aci/exec/messages.ts';

export interface Invitation {
  readonly webSocketUri: string;
  readonly password: string;
}

/** One connection, with all that came. */
export class ExecClient {
  readonly socket: WebSocket;
  readonly messages: { readonly bytes: Buffer; readonly isBinary: boolean }[] = [];
  /** The code it was closed with. */
  readonly closed: Promise<number>;
  /** Also while the connection lasts: it is a stream of messages. */
  code: number | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data, isBinary) => {
      this.messages.push({ bytes: bytesOf(data), isBinary });
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code) => {
        this.code = code;
        resolve(code);
      });
    });
  }

  /** Rejects with the status of a refused upgrade, or with the socket's own trouble. */
  static async connect(uri: string, ca: string, headers: Readonly<Record<string, string>> = {}): Promise<ExecClient> {
    const client = new ExecClient(new WebSocket(uri, { ca, headers }));
    await once(client.socket, 'open');
    client.socket.on('error', () => undefined);
    return client;
  }

  /** Connects and shows the password, as exec wants it. */
  static async enter({ webSocketUri, password }: Invitation, ca: string): Promise<ExecClient> {
    const client = await ExecClient.connect(webSocketUri, ca);
    client.socket.send(password);
    return client;
  }

  /** Connects as attach wants it. */
  static follow({ webSocketUri, password }: Invitation, ca: string): Promise<ExecClient> {
    return ExecClient.connect(webSocketUri, ca, { Authorization: password });
  }

  get shown(): string {
    return Buffer.concat(this.messages.map(({ bytes }) => bytes)).toString();
  }

  type(keys: string): void {
    this.socket.send(Buffer.from(keys));
  }

  /** Has a shell read so many bytes as they are, and shows which came: the sum of SHA-256. */
  async upload(bytes: Buffer): Promise<string> {
    this.type(`stty raw -echo; echo send; head -c ${bytes.length} | sha256sum; exit\r`);
    await this.shows(/send\r?\n$/u);
    for (let sent = 0; sent < bytes.length; sent += 30_000) this.socket.send(bytes.subarray(sent, sent + 30_000));
    await this.closed;
    return /[0-9a-f]{64}/u.exec(this.shown)?.[0] ?? this.shown;
  }

  async shows(part: string | RegExp): Promise<void> {
    const found = (): boolean => (typeof part === 'string' ? this.shown.includes(part) : part.test(this.shown));
    await vi.waitFor(
      () => {
        if (!found()) throw new Error(`no ${String(part)} in ${JSON.stringify(this.shown.slice(-500))}`);
      },
      { timeout: 20_000, interval: 20 },
    );
  }
}
