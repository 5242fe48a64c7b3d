import { describe, expect, it } from 'vitest';
import { AppClient } from '../../infra/cluster/relay/app/app-client.ts';
import { cannedServer, never, switchProtocols } from '../adapters/kubernetes/canned-server.ts';

const date = 'Mon, 23 Nov 2026 12:00:00 GMT';

const appAt = (url: string): AppClient =>
  new AppClient({
    url,
    caFile: undefined,
    getToken: async () => 'token',
    clusterUid: 'uid',
    userAgent: 'test/1',
  });

describe('how long the app lets its relay wait', () => {
  it.each([
    ['seconds', '7', 7_000],
    ['a date, measured by the answer’s own', 'Mon, 23 Nov 2026 12:01:00 GMT', 60_000],
    ['days', '999999', 300_000],
    ['a date that never comes', 'Fri, 31 Dec 9999 23:59:59 GMT', 300_000],
    ['a number that never ends', '9'.repeat(400), undefined],
  ])('Retry-After of %s: %s is %s ms', async (_what, header, expected) => {
    await using server = await cannedServer({ status: 503, headers: { 'retry-after': header, date } });
    const app = appAt(server.url);
    expect(await app.postEvents('{}', never)).toMatchObject({ status: 503, retryAfterMs: expected });
    app.close();
  });
});

describe('a post', () => {
  it.each([
    ['of the leader is sent', true, 1],
    ['of one whose term is over by the time that it is connected is not', false, 0],
  ])('%s', async (_sentence, isHeld, received) => {
    await using server = await cannedServer({ status: 200, headers: { date } });
    const app = appAt(server.url);
    // Asked when the connection is there, not before.
    let isConnected = false;
    const term = { isHeld: () => isHeld && isConnected };
    const posted = app.postEvents('{}', never, term);
    isConnected = true;
    const answer = await posted;
    expect(server.received).toHaveLength(received);
    expect(answer.kind === 'unreachable' ? answer.message : '').toBe(isHeld ? '' : 'this replica no longer leads');
    app.close();
  });
});

describe('a session with a container', () => {
  const target = { node: 'aci-1', namespace: 'ns', pod: 'p', uid: 'u1', container: 'c' };
  it.each([
    ['exec', { columns: 100, rows: 30 }, [], '{"terminalSize":{"columns":100,"rows":30}}'],
    ['exec', { columns: 80, rows: 24 }, ['agent'], '{"terminalSize":{"columns":80,"rows":24}}'],
    ['portforward', { columns: 80, rows: 24 }, ['agent', 'ports'], '{"terminalSize":{"columns":80,"rows":24}}'],
    ['attach', undefined, [], '{}'],
  ] as const)(
    '%s is asked for by a POST of its own, with a body that has a length',
    async (kind, terminalSize, farEnds, body) => {
      await using server = await cannedServer({ status: 200, headers: { date }, body: 'answer' });
      const app = appAt(server.url);
      expect(await app.openStream(target, { kind, terminalSize, farEnds }, never)).toMatchObject({
        kind: 'answer',
        status: 200,
        body: 'answer',
      });
      const [received] = server.received;
      expect([received?.method, received?.url.pathname, received?.body]).toEqual([
        'POST',
        `/api/clusters/uid/nodes/aci-1/pods/ns/p/u1/containers/c/${kind}`,
        body,
      ]);
      expect(received?.headers['content-length']).toBe(String(body.length));
      const offered = farEnds.length === 0 ? undefined : farEnds.join(', ');
      expect(received?.headers['x-serverless-kubelet-far-ends']).toBe(offered);
      app.close();
    },
  );
});

it('a post tells what the ports serve that the Node must declare', async () => {
  await using server = await cannedServer({ status: 200, headers: { date } });
  const app = appAt(server.url);
  await app.postEvents('{}', never);
  expect(server.received[0]?.headers['x-serverless-kubelet-features']).toBe('ExtendWebSocketsToKubelet');
  app.close();
});

it('an app, or a proxy before it, that switches protocols is unreachable at once', async () => {
  await using server = await cannedServer(switchProtocols);
  const app = appAt(server.url);
  expect(await app.postEvents('{}', never)).toEqual({ kind: 'unreachable', message: 'ECONNRESET' });
  app.close();
});
