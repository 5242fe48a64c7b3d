import { once } from 'node:events';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createApiReader } from '../../../infra/local/aci/kube-proxy/api.ts';
import { endpointsSchema } from '../../../infra/local/aci/kube-proxy/objects.ts';
import { reflect } from '../../../infra/local/aci/kube-proxy/reflector.ts';
import { createCertificateAuthority, issueCertificate } from '../../../infra/local/pki.ts';

/** A server with one collection: what it lists is `listed`, what it reports `push`es. */
let server: Server;
let reader: ReturnType<typeof createApiReader>;
let listed: object[] = [];
let isAllowed = true;
const lists: string[] = [];
const watches: { readonly url: string; readonly answer: ServerResponse }[] = [];
let ending = new AbortController();

beforeAll(async () => {
  const ca = await createCertificateAuthority('test');
  const pair = await issueCertificate(ca, { commonName: 'x', ipAddresses: ['127.0.0.1'], usages: ['server'] });
  server = createServer({ cert: pair.certPem, key: pair.keyPem }, (request, answer) => {
    const url = request.url ?? '';
    if (!isAllowed || request.headers.authorization !== 'Bearer t') answer.writeHead(401).end();
    else if (url.includes('watch=true')) {
      answer.writeHead(200).flushHeaders();
      watches.push({ url, answer });
    } else {
      lists.push(url);
      answer.end(JSON.stringify({ metadata: { resourceVersion: '10' }, items: listed }));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  reader = createApiReader({ url: `https://127.0.0.1:${address.port}`, caPem: ca.certPem }, 't');
});
afterEach(() => {
  ending.abort();
  isAllowed = true;
  watches.length = 0;
  lists.length = 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const object = (name: string, version: string, subsets: unknown = []): object => ({
  metadata: { namespace: 'n', name, resourceVersion: version },
  subsets,
});
const push = (type: string, changed: object): void => {
  watches.at(-1)?.answer.write(`${JSON.stringify({ type, object: changed })}\n`);
};
const until = async (look: () => unknown): Promise<void> => {
  await expect.poll(look, { timeout: 8000, interval: 10 }).toBeTruthy();
};

function start(items: object[]): { readonly seen: string[][]; readonly log: string[] } {
  listed = items;
  ending = new AbortController();
  const seen: string[][] = [];
  const log: string[] = [];
  void reflect({
    api: reader,
    path: '/api/v1/endpoints',
    schema: endpointsSchema,
    watchSeconds: 7,
    onChange: (all) => seen.push([...all.keys()].toSorted()),
    log: (line) => log.push(line),
    signal: ending.signal,
  });
  return { seen, log };
}

it('follows what is added, changed and deleted, and asks on from where it was', async () => {
  const { seen, log } = start([object('a', '1')]);
  await until(() => watches.length === 1);
  expect(watches[0]?.url).toBe('/api/v1/endpoints?watch=true&resourceVersion=10&timeoutSeconds=7');
  push('ADDED', object('b', '11'));
  push('DELETED', object('a', '12'));
  await until(() => seen.length === 3);
  expect(seen).toEqual([['n/a'], ['n/a', 'n/b'], ['n/b']]);
  watches[0]?.answer.end();
  await until(() => watches.length === 2);
  expect(watches[1]?.url).toContain('resourceVersion=12');
  expect([lists.length, log]).toEqual([1, []]);
});

it('lists again when it is too far behind', async () => {
  const { seen, log } = start([object('a', '1')]);
  await until(() => watches.length === 1);
  listed = [object('c', '3')];
  push('ERROR', { kind: 'Status', code: 410 });
  await until(() => watches.length === 2);
  expect(seen.at(-1)).toEqual(['n/c']);
  expect(log).toHaveLength(2);
});

it('keeps what it knows when its token is taken away, and goes on trying with the same one', async () => {
  const { seen, log } = start([object('a', '1')]);
  await until(() => watches.length === 1);
  isAllowed = false;
  watches[0]?.answer.end();
  await until(() => log.length === 1);
  expect(log[0]).toContain('answered 401');
  expect(seen).toEqual([['n/a']]);
  listed = [object('a', '1'), object('b', '2')];
  isAllowed = true;
  await until(() => seen.length === 2);
  expect(seen.at(-1)).toEqual(['n/a', 'n/b']);
});

it('leaves out an object that is none, with one line, and goes on with the others', async () => {
  const { seen, log } = start([object('a', '1', 'nonsense'), object('b', '2')]);
  await until(() => seen.length === 1);
  expect(seen).toEqual([['n/b']]);
  expect(log).toHaveLength(1);
  expect(log[0]).toContain('n/a left out');
});
