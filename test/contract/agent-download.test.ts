/** The script that fetches the agent, under a real static busybox, against servers that behave and that do not; and the app itself. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFunctionsHost } from '../../infra/local/host/supervisor.ts';
import type { FunctionsHost } from '../../infra/local/host/supervisor.ts';
import { createCertificateAuthority } from '../../infra/local/pki.ts';
import { buildInto } from '../../infra/package/build.ts';
import { downloadCommand, downloadEnds } from '../../shared/core/agent/download.ts';

const repository = join(import.meta.dirname, '..', '..');
const busybox = '/usr/bin/busybox';
const isRoot = process.getuid?.() === 0;

/** A program as good as the agent: it writes down how it was called. */
const program = Buffer.from(
  `#!/bin/sh\necho "$*" >"$(dirname "$0")/called"\nexit "\${END:-0}"\n${'# more\n'.repeat(20_000)}`,
);
const sha256 = createHash('sha256').update(program).digest('hex');
const packed = gzipSync(program);

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'agent-download-'));
  const bin = join(root, 'bin');
  mkdirSync(bin);
  for (const name of 'sh wget gunzip sha256sum timeout rm mv chmod date sleep dirname'.split(' '))
    symlinkSync(busybox, join(bin, name));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Run {
  readonly url: string;
  readonly seconds?: number;
  readonly sha?: string;
  /** What to do in the container before, with its folder as $1. */
  readonly before?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs the init container's command, its folder an empty one, with the tools of busybox alone. */
async function init({ url, seconds = 1, sha = sha256, before, environment = {} }: Run) {
  const folder = mkdtempSync(join(root, 'sk-'));
  const command = downloadCommand({ url, sha256: sha, folder, seconds });
  const [program = '', ...args] =
    before === undefined
      ? [busybox, 'sh', ...command.slice(1)]
      : ['unshare', '--mount', '/bin/sh', '-c', `${before}; exec "$@"`, folder, busybox, 'sh', ...command.slice(1)];
  const path = before === undefined ? join(root, 'bin') : `${join(root, 'bin')}:/usr/bin:/bin`;
  const child = spawn(program, args, { env: { PATH: path, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  const [code, stdout, stderr] = await Promise.all([
    new Promise<number | null>((resolve) => child.once('close', resolve)),
    text(child.stdout),
    text(child.stderr),
  ]);
  const called = existsSync(join(folder, 'called')) ? readFileSync(join(folder, 'called'), 'utf8').trim() : undefined;
  return { code, stdout, stderr, called, left: readdirSync(folder).filter((name) => name !== 'called') };
}

interface Server extends AsyncDisposable {
  readonly url: string;
  readonly asked: IncomingMessage[];
}

async function serve(answer: RequestListener, tls?: TlsOptions): Promise<Server> {
  const asked: IncomingMessage[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    asked.push(request);
    answer(request, response);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${port}/api/agent/${sha256}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const asGzip: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length });
  response.end(packed);
};
const installed = { code: 0, stdout: '', stderr: '', called: 'install', left: [] };

describe.runIf(existsSync(busybox))('an init container that fetches the agent', () => {
  it('runs its install and leaves nothing else behind, neither on its output', async () => {
    await using app = await serve(asGzip);
    expect(await init(app)).toEqual(installed);
    expect(app.asked.map(({ headers }) => headers['accept-encoding'])).toEqual(['gzip']);
  });

  it('takes it unpacked too, where something on the way has unpacked it', async () => {
    await using app = await serve((_, response) => response.end(program));
    expect(await init(app)).toEqual(installed);
  });

  it('ends as the program ends', async () => {
    await using app = await serve(asGzip);
    expect(await init({ ...app, environment: { END: '121' } })).toMatchObject({
      code: 121,
      called: 'install',
      left: [],
    });
  });

  it('waits for an app that is not there yet', async () => {
    let asked = 0;
    await using app = await serve((request, response) => {
      asked += 1;
      if (asked < 3) response.destroy();
      else asGzip(request, response);
    });
    expect(await init({ ...app, seconds: 20 })).toEqual(installed);
  });

  it('fetches again what was cut off', async () => {
    let asked = 0;
    await using app = await serve((request, response) => {
      asked += 1;
      if (asked > 1) return asGzip(request, response);
      response.writeHead(200, { 'content-length': packed.length });
      response.write(packed.subarray(0, 100), () => response.destroy());
    });
    expect(await init({ ...app, seconds: 20 })).toEqual(installed);
  });

  it.each<[string, RequestListener]>([
    ['other bytes, packed', (_, response) => response.end(gzipSync('evil'))],
    ['other bytes', (_, response) => response.end('#!/bin/sh\necho evil >&2\n')],
    [
      'a packed program with more behind it',
      (_, response) => response.end(gzipSync(Buffer.concat([program, Buffer.from(' ')]))),
    ],
    ['nothing', (_, response) => response.end()],
    ['half of it, as if it were all', (_, response) => response.end(packed.subarray(0, packed.length / 2))],
  ])('never runs %s', async (_, answer) => {
    await using app = await serve(answer);
    const ended = await init(app);
    expect(ended).toMatchObject({ code: downloadEnds.otherBytes, stdout: '', called: undefined, left: [] });
    expect(ended.stderr).toBe(`sk: ${app.url} has other bytes than the agent of this group\n`);
  });

  it('never runs the right bytes under another hash', async () => {
    await using app = await serve(asGzip);
    expect(await init({ ...app, sha: '0'.repeat(64) })).toMatchObject({
      code: downloadEnds.otherBytes,
      called: undefined,
    });
  });

  it('gives up in its time where nobody answers, and says with which words', async () => {
    const started = performance.now();
    const ended = await init({ url: 'http://127.0.0.1:9/x', seconds: 3 });
    expect(ended).toMatchObject({ code: downloadEnds.unreachable, stdout: '', called: undefined, left: [] });
    expect(ended.stderr).toMatch(
      /^sk: the agent could not be fetched from http:\/\/127\.0\.0\.1:9\/x in \d tries: .*refused/,
    );
    expect(performance.now() - started).toBeLessThan(8_000);
  });

  it('says that the app has it no more', async () => {
    await using app = await serve((_, response) => response.writeHead(404).end());
    expect((await init(app)).stderr).toMatch(/404 Not Found\n$/);
  });

  describe('over TLS, from an app whose certificate nobody knows', () => {
    /** As servers of today are, and one that takes SHA-1, which is what a client means that names no algorithm (RFC 5246, 7.4.1.4.1). */
    const servers = { today: {}, lenient: { ciphers: 'DEFAULT@SECLEVEL=0', maxVersion: 'TLSv1.2' } } as const;
    const serveTls = async (kind: keyof typeof servers, answer: RequestListener = asGzip) => {
      const { certPem: cert, keyPem: key } = await createCertificateAuthority('nobody');
      return serve(answer, { cert, key, ...servers[kind] });
    };
    /** With programs of this machine beside busybox. */
    const beside = (...names: readonly string[]) => {
      const bin = mkdtempSync(join(root, 'beside-'));
      for (const name of names) symlinkSync(`/usr/bin/${name}`, join(bin, name));
      return { PATH: `${join(root, 'bin')}:${bin}` };
    };

    it("busybox's own TLS takes it, as it checks no certificate: the hash alone decides", async () => {
      await using app = await serveTls('lenient');
      expect(await init({ ...app, seconds: 20 })).toEqual(installed);
      await using other = await serveTls('lenient', (_, response) => response.end(gzipSync('evil')));
      expect(await init(other)).toMatchObject({ code: downloadEnds.otherBytes, called: undefined });
    });

    it('a server of today refuses that TLS, which is said', async () => {
      await using app = await serveTls('today');
      const ended = await init({ ...app, seconds: 1 });
      expect(ended).toMatchObject({ code: downloadEnds.unreachable, called: undefined });
      expect(ended.stderr).toContain('handshake failure');
    });

    it.runIf(existsSync('/usr/bin/openssl'))('an openssl beside it checks, and is asked not to', async () => {
      await using app = await serveTls('today');
      expect(await init({ ...app, seconds: 20, environment: beside('openssl') })).toEqual(installed);
    });

    it.runIf(existsSync('/usr/bin/curl'))('curl takes it, where an image has one', async () => {
      await using app = await serveTls('today');
      expect(await init({ ...app, environment: beside('curl') })).toEqual(installed);
      expect(app.asked.map(({ headers }) => headers['user-agent'])).toEqual([expect.stringContaining('curl')]);
    });
  });

  describe.runIf(isRoot)('in a folder', () => {
    it('without space says so at once', async () => {
      await using app = await serve(asGzip);
      const ended = await init({ ...app, seconds: 60, before: 'mount -t tmpfs -o size=64k tmpfs "$0"' });
      expect(ended).toMatchObject({
        code: downloadEnds.noSpace,
        stdout: '',
        stderr: expect.stringMatching(/^sk: no space in /),
      });
    });
    it('that lets no program run says so', async () => {
      await using app = await serve(asGzip);
      const ended = await init({ ...app, before: 'mount -t tmpfs -o noexec tmpfs "$0"' });
      expect(ended).toMatchObject({ code: downloadEnds.notExecutable, stdout: '' });
      expect(ended.stderr).toMatch(/does not let programs run\n$/);
    });
    it('that can’t be written to says so', async () => {
      await using app = await serve(asGzip);
      const ended = await init({ ...app, before: 'mount -t tmpfs -o ro tmpfs "$0"' });
      expect(ended).toMatchObject({
        code: downloadEnds.notWritable,
        stdout: '',
        stderr: expect.stringContaining('Read-only'),
      });
      expect(app.asked).toEqual([]);
    });
  });
});

describe('the packaged app', () => {
  let host: FunctionsHost;
  beforeAll(async () => {
    await buildInto(join(root, 'built'), repository, program);
    const settingsFile = join(root, 'settings.json');
    // Not one of the settings that all else needs.
    writeFileSync(settingsFile, JSON.stringify({ Values: { FUNCTIONS_WORKER_RUNTIME: 'node' } }));
    const place = { appRoot: join(root, 'built', 'app'), settingsFile, logDir: join(root, 'logs') };
    host = await startFunctionsHost({ ...place, port: 0, adminPort: 0, startUpDelayMs: 10 });
  }, 60_000);
  afterAll(() => host.stop());

  const ask = (path: string, init?: RequestInit) => fetch(`${host.url}/api/agent/${path}`, init);

  it.runIf(existsSync(busybox))('gives it to such an init container', async () => {
    expect(await init({ url: `${host.url}/api/agent/${sha256}`, seconds: 20 })).toEqual(installed);
  });

  it('gives anybody its agent, to be kept for ever, and no other', async () => {
    const whole = await ask(sha256, { headers: { 'accept-encoding': 'identity' } });
    expect(Buffer.from(await whole.arrayBuffer()).equals(program)).toBe(true);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'cache-control': 'public, max-age=31536000, immutable',
      etag: `"${sha256}"`,
      vary: 'accept-encoding',
    });
    const small = await ask(sha256);
    expect(small.headers.get('content-encoding')).toBe('gzip');
    expect(Buffer.from(await small.arrayBuffer()).equals(program)).toBe(true);
    for (const other of [sha256.toUpperCase(), 'x', '..%2fhost.json']) expect((await ask(other)).status).toBe(404);
    // With such settings nobody can say what former releases had.
    expect((await ask('0'.repeat(64))).status).toBe(503);
  });

  it('answers HEAD and a cache that has it without the bytes', async () => {
    const head = await ask(sha256, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const cached = await ask(sha256, { headers: { 'if-none-match': `W/"${sha256}"` } });
    expect([cached.status, await cached.text()]).toEqual([304, '']);
    expect((await ask(sha256, { method: 'POST' })).status).toBe(404);
  });
});
