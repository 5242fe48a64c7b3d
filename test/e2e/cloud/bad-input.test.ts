import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { apply, createNamespace, dir, field, output, record, removeNamespace } from './cloud.ts';

const namespace = 'bad-input';
const relaySchema = z.object({
  clusterUid: z.string(),
  apiServer: z.object({ caFile: z.string() }),
  app: z.object({ tokenFile: z.string() }),
  nodes: z.array(z.object({ name: z.string(), port: z.number() })),
});
const relay = relaySchema.parse(JSON.parse(readFileSync(join(dir, 'relay/config.json'), 'utf8')));
const relayToken = readFileSync(relay.app.tokenFile, 'utf8').trim();
const url = `${record.hostUrl}/api/clusters/${relay.clusterUid}/pod-events`;
const json = { 'content-type': 'application/json' };
const tick = { epoch: 'bad-input', seq: 1, kind: 'delta', pods: [] };
const key = { node: 'aci-1', namespace, name: 'x', uid: 'x', resourceVersion: '1', generation: 1 };

interface Post {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly to?: string;
}

async function post({ token, headers = json, body = JSON.stringify(tick), to = url }: Post) {
  const answer = await fetch(to, {
    method: 'POST',
    headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    body,
  });
  return { status: answer.status, text: await answer.text() };
}

const tokenOf = async (account: string, ...args: string[]): Promise<string> =>
  (await output('create', 'token', account, '-n', namespace, ...args)).trim();

describe("the app's webhook", () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'somebody', namespace } });
  });

  it('lets the relay in', async () => {
    expect((await post({ token: relayToken })).status).toBe(200);
  });

  it('answers 401 to no token, to nonsense, and on an unknown cluster', async () => {
    expect((await post({})).status).toBe(401);
    expect((await post({ token: 'nonsense' })).status).toBe(401);
    expect((await post({ token: 'a.b.c' })).status).toBe(401);
    const other = url.replace(relay.clusterUid, '00000000-0000-0000-0000-000000000000');
    expect((await post({ token: relayToken, to: other })).status).toBe(401);
  });

  it("answers 401 to a token for another audience, and to one whose signature is not the cluster's", async () => {
    expect((await post({ token: await tokenOf('somebody') })).status).toBe(401);
    const [head = '', claims = '', signature = ''] = relayToken.split('.');
    expect((await post({ token: `${head}.${claims}.${signature.split('').toReversed().join('')}` })).status).toBe(401);
  });

  it("answers 403 to another account's valid token", async () => {
    const token = await tokenOf('somebody', `--audience=${record.audience}`);
    const answer = await post({ token });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('only the ServiceAccount');
  });

  it('answers 415 to another content type and 413 to too much', async () => {
    const plain = await post({ token: relayToken, headers: { 'content-type': 'text/plain' } });
    expect(plain.status).toBe(415);
    const body = JSON.stringify({ ...tick, epoch: 'x'.repeat(900_000) });
    expect((await post({ token: relayToken, body })).status).toBe(413);
  });

  it.each([
    ['no JSON', '{"epoch":', 'not JSON'],
    ['an empty object', '{}', '"field":"epoch"'],
    ['a list', '[]', 'faults'],
    ['an unknown kind', JSON.stringify({ ...tick, kind: 'other' }), '"field":"kind"'],
    ['a pod without its uid', JSON.stringify({ ...tick, pods: [{ ...key, uid: undefined }] }), '"field":"pods.0.uid"'],
    ['a spec that nobody asked for', JSON.stringify({ ...tick, pods: [{ ...key, spec: {} }] }), '"field":"pods.0"'],
  ])('answers 400 to %s and names it', async (_what, body, named) => {
    const answer = await post({ token: relayToken, body });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(named);
  });

  it('after all this the app still works', async () => {
    expect((await post({ token: relayToken })).status).toBe(200);
    expect(await field('node', 'aci-1', '{.status.conditions[?(@.type=="Ready")].status}')).toBe('True');
  });
});

describe('the kubelet port', () => {
  afterAll(() => removeNamespace(namespace));

  const ca = readFileSync(relay.apiServer.caFile, 'utf8');
  const get = (path: string, token?: string): Promise<number> =>
    new Promise((resolve, reject) => {
      request(
        {
          host: '127.0.0.1',
          port: relay.nodes[0]?.port,
          path,
          ca,
          headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        },
      )
        .on('error', reject)
        .end();
    });

  it('answers 401 to nobody and to nonsense', async () => {
    expect(await get('/pods')).toBe(401);
    expect(await get('/containerLogs/default/any/main')).toBe(401);
    expect(await get('/pods', 'nonsense')).toBe(401);
  });

  it('answers 403 to a ServiceAccount without the right, and not once it has it', async () => {
    const token = await tokenOf('somebody');
    expect(await get('/pods', token)).toBe(403);
    expect(await get('/containerLogs/default/any/main', token)).toBe(403);
    await output('create', 'serviceaccount', 'operator', '-n', namespace);
    await output('create', 'clusterrole', namespace, '--verb=get', '--resource=nodes/proxy');
    await output(
      'create',
      'clusterrolebinding',
      namespace,
      `--clusterrole=${namespace}`,
      `--serviceaccount=${namespace}:operator`,
    );
    try {
      expect(await get('/containerLogs/default/any/main', await tokenOf('operator'))).toBe(404);
    } finally {
      await output('delete', 'clusterrolebinding,clusterrole', namespace);
    }
  });
});
