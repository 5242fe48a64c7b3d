import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentFiles, agentFilesOfApp, writeAgentFiles } from '../../infra/package/agent-package.ts';
import { createPackagedAgent } from '../../shared/adapters/packaged-agent/packaged-agent.ts';
import { createAgentDownload } from '../../shared/app/answer-agent-download.ts';

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
  return { monotonicMs: () => ms, advance: (more: number) => (ms += more) };
};
const request = (hash = sha256, headers: Readonly<Record<string, string>> = {}, method = 'GET') => ({
  method,
  headers: new Headers(headers),
  params: { sha256: hash },
});

describe('the agent that the app was deployed with', () => {
  it('is not there where the package has none', async () => {
    const none = createPackagedAgent([join(root, 'none'), root]);
    expect([await none.sha256(), await none.read()]).toEqual([undefined, undefined]);
    expect(await createAgentDownload(none, clock())(request())).toMatchObject({ status: 404 });
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
    expect(await createAgentDownload(createPackagedAgent([folder]), clock())(request())).toMatchObject({ status: 404 });
  });
});

describe('what anybody may fetch', () => {
  const answer = (at = clock()) => createAgentDownload(createPackagedAgent([join(root, 'good')]), at);

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
      expect((await ask(request('0'.repeat(64)))).status).toBe(404);
    }
    expect((await ask(request())).status).toBe(200);
  });

  it.each(['', '../agent', sha256.toUpperCase(), `${sha256}0`, sha256.slice(1)])('is no %j', async (hash) => {
    expect(await answer()(request(hash))).toMatchObject({ status: 404, headers: { 'cache-control': 'no-store' } });
  });
});
