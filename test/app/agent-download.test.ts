import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentFiles, agentFilesOfApp, writeAgentFiles } from '../../infra/package/agent-package.ts';
import { createPackagedAgent } from '../../shared/adapters/packaged-agent/packaged-agent.ts';
import { createAgentDownload } from '../../shared/app/answer-agent-download.ts';
import { fail, ok } from '../../shared/core/fault.ts';
import type { Fault } from '../../shared/core/fault.ts';
import type { KeptAgents, PackagedAgent, Program } from '../../shared/ports/packaged-agent.ts';

const program = Buffer.from('as good as a program');
const sha256 = createHash('sha256').update(program).digest('hex');

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'agent-download-'));
  writeAgentFiles(join(root, 'good'), agentFiles(program, '1.2.3'), agentFilesOfApp);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const clock = () => {
  let ms = 0;
  return {
    monotonicMs: () => ms,
    timeout: (span: number) => AbortSignal.timeout(span),
    advance: (more: number) => (ms += more),
  };
};
const log = { info: () => undefined, warn: () => undefined };

/** A place for former agents, in memory; what it was asked for. */
function keptAgents() {
  const programs = new Map<string, Program>();
  const asked: string[] = [];
  let fault: Fault | undefined;
  const agents: KeptAgents = {
    put: (program) => {
      asked.push('put');
      if (fault === undefined)
        programs.set(program.sha256, { ...program, unpacked: () => Promise.resolve(Buffer.from('former')) });
      return Promise.resolve(fault === undefined ? ok(undefined) : fail(fault));
    },
    get: (hash) => {
      asked.push('get');
      return Promise.resolve(fault === undefined ? ok(programs.get(hash)) : fail(fault));
    },
  };
  return { agents, asked, programs, breakWith: (next: Fault | undefined) => (fault = next) };
}
/** As a process has it, with a clock that stands and nothing of former releases. */
function download(agent: PackagedAgent, { at = clock(), kept = keptAgents() } = {}) {
  const answer = createAgentDownload({ agent, kept: () => Promise.resolve(kept.agents), clock: at });
  return (one: Parameters<typeof answer>[0]) => answer(one, log);
}
const request = (hash = sha256, headers: Readonly<Record<string, string>> = {}, method = 'GET') => ({
  method,
  headers: new Headers(headers),
  params: { sha256: hash },
});

describe('the agent that the app was deployed with', () => {
  it('is not there where the package has none', async () => {
    const none = createPackagedAgent([join(root, 'none'), root]);
    expect([await none.sha256(), await none.read()]).toEqual([undefined, undefined]);
    expect(await download(none)(request())).toMatchObject({ status: 404 });
  });

  it('is that of the first folder that has one', async () => {
    const agent = createPackagedAgent([join(root, 'none'), join(root, 'good')]);
    expect(await agent.sha256()).toBe(sha256);
    expect(await (await agent.read())?.unpacked()).toEqual(program);
  });

  it.each([
    ['is no gzip', Buffer.from('x')],
    ['is another program', gzipSync('another program!!!!!')],
    ['unpacks to more than it should', gzipSync(Buffer.alloc(10_000_000))],
  ])('is not handed out where what is packed %s', async (what, packed) => {
    const folder = join(root, what);
    writeAgentFiles(folder, agentFiles(program, '1.2.3'), agentFilesOfApp);
    writeFileSync(join(folder, 'sk.gz'), packed);
    expect(await download(createPackagedAgent([folder]))(request())).toMatchObject({ status: 404 });
  });
});

describe('what anybody may fetch', () => {
  const answer = (at = clock()) => download(createPackagedAgent([join(root, 'good')]), { at });

  it('is so much of one process at once, and more a little later', async () => {
    const at = clock();
    const ask = answer(at);
    const many = await Promise.all(Array.from({ length: 50 }, () => ask(request())));
    const statuses = many.map(({ status }) => status);
    expect([
      statuses.filter((status) => status === 200).length,
      statuses.filter((status) => status === 429).length,
    ]).toEqual([40, 10]);
    expect(many.at(-1)?.headers).toMatchObject({ 'retry-after': '1', 'cache-control': 'no-store' });
    at.advance(1_000);
    expect((await ask(request())).status).toBe(200);
  });

  it('costs nothing of it where nothing is sent', async () => {
    const ask = answer();
    for (let each = 0; each < 100; each += 1) {
      expect((await ask(request(sha256, {}, 'HEAD'))).status).toBe(200);
      expect((await ask(request(sha256, { 'if-none-match': `"x", W/"${sha256}"` }))).status).toBe(304);
    }
    expect((await ask(request())).status).toBe(200);
  });

  it.each(['', '../agent', sha256.toUpperCase(), `${sha256}0`, sha256.slice(1)])('is no %j', async (hash) => {
    expect(await answer()(request(hash))).toMatchObject({ status: 404, headers: { 'cache-control': 'no-store' } });
  });
});

describe('agents of former releases', () => {
  const now = () => createPackagedAgent([join(root, 'good')]);
  const former = 'f'.repeat(64);
  const none = createPackagedAgent([]);

  it('are those that were handed out: the next release has them, and keeps a group that starts again alive', async () => {
    const kept = keptAgents();
    await Promise.all([download(now(), { kept })(request()), download(now(), { kept })(request())]);
    const next = download(none, { kept });
    expect(await next(request())).toMatchObject({
      status: 200,
      headers: { etag: `"${sha256}"` },
      body: Buffer.from('former'),
    });
    expect(await next(request(sha256, { 'accept-encoding': 'gzip' }))).toMatchObject({
      headers: { 'content-encoding': 'gzip', 'cache-control': 'public, max-age=31536000, immutable' },
    });
    expect(await next(request(sha256, {}, 'HEAD'))).not.toHaveProperty('body');
    expect((await next(request(sha256, { 'if-none-match': `"${sha256}"` }))).status).toBe(304);
    expect(kept.asked).toEqual(['put', 'put', 'get']);
  });

  it('are kept once by each process', async () => {
    const kept = keptAgents();
    const ask = download(now(), { kept });
    await Promise.all([ask(request()), ask(request())]);
    await ask(request());
    expect(kept.asked).toEqual(['put']);
  });

  it.each<[Fault, number]>([
    [{ kind: 'transient', message: 'away' }, 3],
    [{ kind: 'denied', code: 'x', message: 'no role' }, 3],
    [{ kind: 'rejected', code: 'NoBlobStorage', message: 'no place' }, 1],
  ])('that cannot be kept (%j) are handed out, and kept a minute later where that may help', async (fault, tries) => {
    const kept = keptAgents();
    const at = clock();
    const ask = download(now(), { at, kept });
    kept.breakWith(fault);
    for (const pauseMs of [0, 59_000, 1_000, 60_000, 0]) {
      at.advance(pauseMs);
      expect((await ask(request())).status).toBe(200);
    }
    expect(kept.asked).toHaveLength(tries);
  });

  it.each<[Fault, number]>([
    [{ kind: 'transient', message: 'away' }, 503],
    [{ kind: 'throttled', retryAfterMs: 1, message: 'busy' }, 503],
    [{ kind: 'denied', code: 'x', message: 'no role' }, 503],
    [{ kind: 'rejected', code: 'NoBlobStorage', message: 'no place' }, 404],
  ])('are not said to be gone where nobody could say: %j is %i', async (fault, status) => {
    const kept = keptAgents();
    kept.breakWith(fault);
    const ask = download(now(), { kept });
    expect(await ask(request(former))).toMatchObject({ status, headers: { 'cache-control': 'no-store' } });
  });

  it('are unknown where the settings are wrong; that of the package is handed out all the same', async () => {
    const answer = createAgentDownload({ agent: now(), kept: () => Promise.resolve(undefined), clock: clock() });
    expect((await answer(request(former), log)).status).toBe(503);
    expect((await answer(request(), log)).status).toBe(200);
  });

  it('may be asked for by anybody so often, which takes nothing from that of the package', async () => {
    const kept = keptAgents();
    const at = clock();
    const ask = download(now(), { at, kept });
    const statuses: number[] = [];
    for (let each = 0; each < 12; each += 1) statuses.push((await ask(request(former))).status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 404), 429, 429]);
    expect(kept.asked).toHaveLength(10);
    expect((await ask(request())).status).toBe(200);
    at.advance(1_000);
    expect((await ask(request(former))).status).toBe(404);
  });

  it('are in memory two at most', async () => {
    const kept = keptAgents();
    const hashes = ['a', 'b', 'c'].map((digit) => digit.repeat(64));
    for (const hash of hashes)
      kept.programs.set(hash, {
        sha256: hash,
        gzip: Buffer.from(hash),
        unpacked: () => Promise.resolve(Buffer.from(hash)),
      });
    const ask = download(now(), { kept });
    for (const hash of [...hashes, 'c'.repeat(64), 'b'.repeat(64), 'a'.repeat(64)])
      expect((await ask(request(hash))).body).toEqual(Buffer.from(hash));
    expect(kept.asked).toHaveLength(4);
  });
});
