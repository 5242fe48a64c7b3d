import { describe, expect, it } from 'vitest';
import { answerAdmin } from '../../../infra/local/aci/admin.ts';
import type { ArmResponse } from '../../../infra/local/aci/json.ts';
import { createBench, groupBody, groupsPath, scripted, subscription } from './harness.ts';

type Bench = ReturnType<typeof createBench>;

const admin = async (bench: Bench, method: string, path: string, body?: unknown): Promise<ArmResponse> =>
  answerAdmin(bench.core, {
    method,
    url: `/_emulator/${path}`,
    headers: {},
    body: body === undefined ? '' : JSON.stringify(body),
    origin: 'http://admin',
  });

const ask = (bench: Bench, query: string, header = bench.core.identityHeader): Promise<ArmResponse> =>
  bench.core.identity({
    method: 'GET',
    url: `/msi/token?${query}`,
    headers: { 'x-identity-header': header },
    body: '',
    origin: 'http://identity',
  });

describe('the managed identity endpoint', () => {
  const resource = 'resource=https%3A%2F%2Farm.test%2F&api-version=2019-08-01';

  it('gives a token that ARM accepts, in the shape of App Service', async () => {
    const bench = createBench();
    const { status, body } = await ask(bench, resource);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      expires_on: String(Math.floor(bench.clock.now() / 1000) + 86_400),
      resource: 'https://arm.test/',
      token_type: 'Bearer',
      client_id: bench.core.state.principals[0]?.clientId,
    });
    const { access_token: token } = body as { access_token: string };
    expect((await bench.request('GET', groupsPath, { token })).status).toBe(200);
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object;
    expect(claims).toMatchObject({ aud: 'https://arm.test/', oid: bench.core.state.principals[0]?.objectId });
  });

  it.each([
    ['a wrong header', resource, 'wrong', 401],
    ['no resource', 'api-version=2019-08-01', undefined, 400],
    ['another api-version', 'resource=x&api-version=2018-02-01', undefined, 400],
    ['an unknown client', `${resource}&client_id=nobody`, undefined, 400],
  ])('refuses %s', async (_label, query, header, status) => {
    const bench = createBench();
    expect((await ask(bench, query, header ?? bench.core.identityHeader)).status).toBe(status);
  });

  it('chooses the principal by client_id', async () => {
    const role = { actions: ['*'], scope: `/subscriptions/${subscription}` };
    const principals = ['a', 'b'].map((n) => ({
      clientId: n,
      objectId: `o${n}`,
      assignments: n === 'b' ? [role] : [],
    }));
    const bench = createBench({ principals });
    const { body } = await ask(bench, `${resource}&client_id=b`);
    const { access_token: token } = body as { access_token: string };
    expect((await bench.request('GET', groupsPath, { token })).status).toBe(200);
    expect((await bench.request('GET', groupsPath)).status).toBe(403);
  });

  it('has faults of its own', async () => {
    const bench = createBench();
    await admin(bench, 'POST', 'faults', { endpoint: 'identity', status: 500 });
    expect((await bench.request('GET', groupsPath)).status).toBe(200);
    expect((await ask(bench, resource)).status).toBe(500);
    expect((await ask(bench, resource)).status).toBe(200);
  });
});

describe('the admin side', () => {
  it('journal: every ARM request with principal, action and status; clearable', async () => {
    const bench = createBench();
    await bench.put('g');
    await bench.get('none');
    const { body } = await admin(bench, 'GET', 'journal');
    expect(body).toMatchObject({
      requests: [
        { method: 'PUT', action: 'Microsoft.ContainerInstance/containerGroups/write', status: 201 },
        { method: 'GET', status: 404, code: 'ResourceNotFound', principal: bench.core.state.principals[0]?.clientId },
      ],
    });
    await admin(bench, 'DELETE', 'journal');
    expect((await admin(bench, 'GET', 'journal')).body).toEqual({ requests: [] });
  });

  it('runs: every start and end with uid, times and true exit code', async () => {
    const bench = createBench();
    await bench.running('g', scripted('Never', [{ runMs: 500, exitCode: 9 }]));
    expect((await admin(bench, 'GET', 'runs')).body).toMatchObject({
      runs: [
        {
          group: `${groupsPath}/g`,
          container: 'c',
          uid: 'u1',
          exitCode: 9,
          startedAt: '2026-01-01T00:00:15.000Z',
          finishedAt: '2026-01-01T00:00:15.500Z',
        },
      ],
    });
  });

  it('groups: also what ARM hides, but no secret', async () => {
    const bench = createBench();
    await bench.running('g', groupBody({ volumes: [{ name: 's', secret: { k: 'aHVzaA==' } }] }));
    await bench.post('g', 'stop');
    const { body } = await admin(bench, 'GET', 'groups');
    expect(body).toMatchObject({ groups: [{ name: 'g', stopped: true, containers: { c: { restartCount: 0 } } }] });
    expect(JSON.stringify(body)).not.toContain('aHVzaA');
  });

  it('kill, clock, faults and reset', async () => {
    const bench = createBench();
    await bench.put('g');
    await admin(bench, 'POST', 'clock', { advanceMs: 16_000 });
    await admin(bench, 'POST', 'kill', { group: 'g', container: 'c', exitCode: 7148 });
    await bench.clock.advance(0);
    expect((await bench.container('g')).currentState.exitCode).toBe(7148);
    expect((await admin(bench, 'POST', 'faults', [{ status: 500, count: null }])).status).toBe(201);
    expect((await bench.get('g')).status).toBe(500);
    await admin(bench, 'POST', 'reset');
    expect((await bench.get('g')).status).toBe(404);
    expect(bench.runtime.sandboxes).toEqual([]);
  });

  it.each([
    ['POST', 'faults', { stauts: 500 }, 400],
    ['POST', 'faults', { path: '(' }, 400],
    ['POST', 'clock', {}, 400],
    ['POST', 'kill', { group: 'none' }, 404],
    ['GET', 'nothing', undefined, 404],
  ])('%s %s with bad input is refused', async (method, path, body, status) => {
    expect((await admin(createBench(), method, path, body)).status).toBe(status);
  });

  it('trouble of the runtime is a 500 on the request and a Failed group behind it, never the end', async () => {
    const bench = createBench();
    bench.runtime.createSandbox = () => Promise.reject(new Error('no disk'));
    const put = await bench.running('g');
    expect((await bench.get('g')).body.properties.provisioningState).toBe('Failed');
    expect((await bench.poll(put)).body.properties.events).toMatchObject([{ name: 'Failed', message: 'no disk' }]);
    bench.runtime.pullImage = () => Promise.reject(new Error('engine gone'));
    const answer = await bench.put('h');
    expect([answer.status, answer.body.error.code]).toEqual([500, 'InternalServerError']);
  });

  it('closing deletes every sandbox', async () => {
    const bench = createBench();
    await bench.running('a');
    await bench.put('b');
    await bench.clock.advance(5000);
    await bench.core.close();
    await bench.core.close();
    expect(bench.runtime.sandboxes).toEqual([]);
  });
});
