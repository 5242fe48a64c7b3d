import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createCertificateAuthority, issueCertificate } from '../../../infra/local/pki.ts';
import type { KubernetesClientConfig } from '../../../shared/adapters/kubernetes/http.ts';
import { asNode, createKubernetesClient, openWatch, request } from '../../../shared/adapters/kubernetes/http.ts';
import { cannedServer, never, statusBody, switchProtocols } from './canned-server.ts';
import type { Canned } from './canned-server.ts';

const text = (json: unknown): string | undefined =>
  typeof json === 'object' && json !== null && 'text' in json && typeof json.text === 'string' ? json.text : undefined;
const get = { method: 'GET', path: '/api/v1/x' } as const;

describe('a request', () => {
  it('carries token, user agent and a JSON body, and as a node the impersonation of that node and its group', async () => {
    await using server = await cannedServer({ body: { text: 'yes' } });
    await request(server.client, { ...get, method: 'POST', body: { a: 1 } }, text, never);
    await request(asNode(server.client, 'aci-1'), { ...get, method: 'PATCH', body: {} }, text, never);
    const [plain, node] = server.received;
    expect(plain?.headers).toMatchObject({
      authorization: 'Bearer token-1',
      'user-agent': 'test/1',
      'content-type': 'application/json',
    });
    expect(plain?.headers).not.toHaveProperty('impersonate-user');
    expect(plain?.body).toBe('{"a":1}');
    expect(node?.headers).toMatchObject({
      'impersonate-user': 'system:node:aci-1',
      'impersonate-group': 'system:nodes',
      'content-type': 'application/strategic-merge-patch+json',
    });
  });

  it('goes below the path of the server’s URL', async () => {
    await using server = await cannedServer({ body: { text: 'yes' } });
    const client = createKubernetesClient({ ...server.client.config, server: `${server.url}/k8s/clusters/c-1/` });
    await request(client, { ...get, query: { fieldSelector: 'a=b,c=d' } }, text, never);
    client.close();
    expect(server.received[0]?.url.pathname).toBe('/k8s/clusters/c-1/api/v1/x');
    expect(server.received[0]?.url.searchParams.get('fieldSelector')).toBe('a=b,c=d');
  });

  it('reads gzip', async () => {
    await using server = await cannedServer(({ headers }) => ({
      headers: { 'content-encoding': 'gzip' },
      body: headers['accept-encoding'] === 'gzip' ? gzipSync(JSON.stringify({ text: 'small' })) : 'not asked for',
    }));
    expect(await request(server.client, get, text, never)).toStrictEqual({ ok: true, value: 'small' });
  });

  it.each<[string, Canned]>([
    ['an empty object', { body: {} }],
    ['HTML', { body: '<!doctype html><h1>It works!</h1>' }],
    ['truncated JSON', { body: '{"text": "se' }],
    ['nothing', { body: '' }],
    ['null', { body: 'null' }],
    ['a wrong type', { body: { text: 5 } }],
    ['what is called gzip and is not', { headers: { 'content-encoding': 'gzip' }, body: '{"text":"plain"}' }],
    ['a redirect', { status: 302, headers: { location: '/elsewhere' } }],
    ['a 404 of somebody else', { status: 404, body: '<html>' }],
    ['a 500', { status: 500, body: statusBody(500, 'InternalError') }],
  ])('%s is a transient fault', async (_, canned) => {
    await using server = await cannedServer(canned);
    expect(await request(server.client, get, text, never)).toMatchObject({ ok: false, fault: { kind: 'transient' } });
    expect(server.received).toHaveLength(1);
  });

  it('what a garbled answer says is in no message', async () => {
    await using server = await cannedServer({ body: '{"data":{"password":"aHVzaA==' });
    const answer = await request(server.client, get, text, never);
    expect(JSON.stringify(answer)).not.toMatch(/aHVzaA|password/);
  });

  it('an answer cut off, a connection closed without one, or other protocols instead are transient and not repeated', async () => {
    await using cutOff = await cannedServer((_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"text":', () => response.destroy());
      return undefined;
    });
    await using closed = await cannedServer((_, response) => {
      response.socket?.destroy();
      return undefined;
    });
    await using switching = await cannedServer(switchProtocols);
    for (const server of [cutOff, closed, switching]) {
      expect(await request(server.client, get, text, never)).toMatchObject({ fault: { kind: 'transient' } });
      expect(server.received).toHaveLength(1);
    }
  });

  it('an answer beyond 32 MiB is given up', async () => {
    const huge = gzipSync(JSON.stringify({ text: 'x'.repeat(33 * 1024 * 1024) }));
    await using server = await cannedServer({ headers: { 'content-encoding': 'gzip' }, body: huge });
    const answer = await request(server.client, get, text, never);
    expect(answer).toMatchObject({ fault: { kind: 'transient', message: expect.stringContaining('larger') } });
  });

  it('nobody listening is transient', async () => {
    const server = await cannedServer({});
    await server[Symbol.asyncDispose]();
    expect(await request(server.client, get, text, never)).toMatchObject({
      fault: { kind: 'transient', message: expect.stringContaining('ECONNREFUSED') },
    });
  });

  it.each(['/api/v1/namespaces//secrets', '/api/v1/namespaces/../x', '/api/v1/secrets/', '/'])(
    'a path that an empty or dotted name bent (%s) is never sent',
    async (path) => {
      await using server = await cannedServer({ body: { text: 'yes' } });
      expect(await request(server.client, { method: 'GET', path }, text, never)).toMatchObject({
        fault: { kind: 'rejected' },
      });
      expect(server.received).toHaveLength(0);
    },
  );
});

describe('a request ends in time', () => {
  const silent = () => undefined;

  it('after its time-out', async () => {
    await using server = await cannedServer(silent, { requestTimeoutMs: 30 });
    expect(await request(server.client, get, text, never)).toMatchObject({
      fault: { kind: 'transient', message: 'GET /api/v1/x: nothing came within 30 ms' },
    });
  });

  it('after its time-out in the middle of a body', async () => {
    await using server = await cannedServer(
      (_, response) => {
        response.writeHead(200);
        response.write('{');
        return undefined;
      },
      { requestTimeoutMs: 50 },
    );
    expect(await request(server.client, get, text, never)).toMatchObject({ fault: { kind: 'transient' } });
  });

  it('when no token comes', async () => {
    await using server = await cannedServer(silent, {
      requestTimeoutMs: 30,
      getToken: () => new Promise(() => undefined),
    });
    expect(await request(server.client, get, text, never)).toMatchObject({ fault: { kind: 'transient' } });
    expect(server.received).toHaveLength(0);
  });

  it('when its caller gives up, or has given up before', async () => {
    const controller = new AbortController();
    await using server = await cannedServer(() => {
      controller.abort();
      return undefined;
    });
    const aborted = { fault: { kind: 'transient', message: 'GET /api/v1/x: aborted by the caller' } };
    expect(await request(server.client, get, text, controller.signal)).toMatchObject(aborted);
    expect(await request(server.client, get, text, controller.signal)).toMatchObject(aborted);
    expect(server.received).toHaveLength(1);
  });
});

describe('the token', () => {
  it('is asked for afresh after one 401', async () => {
    const getToken = async (options?: { fresh: boolean }) => (options?.fresh ? 'fresh' : 'stale');
    await using server = await cannedServer(
      ({ headers }) =>
        headers.authorization === 'Bearer fresh'
          ? { body: { text: 'in' } }
          : { status: 401, body: statusBody(401, 'Unauthorized') },
      { getToken },
    );
    expect(await request(server.client, { ...get, method: 'POST', body: {} }, text, never)).toMatchObject({
      value: 'in',
    });
  });

  it('refused twice is denied, not tried for ever', async () => {
    let tokens = 0;
    const getToken = async () => `token-${(tokens += 1)}`;
    await using server = await cannedServer({ status: 401, body: statusBody(401, 'Unauthorized') }, { getToken });
    expect(await request(server.client, get, text, never)).toMatchObject({
      fault: { kind: 'denied', code: 'Unauthorized' },
    });
    expect(server.received).toHaveLength(2);
  });

  it.each<[string, KubernetesClientConfig['getToken']]>([
    ['is the same', async () => 'same'],
    ['can’t be had', async (options) => (options?.fresh === true ? Promise.reject(new Error('gone')) : 'same')],
  ])('refused is not tried again where the other %s, and is reported with where it is from', async (_, getToken) => {
    const tokenOrigin = 'the token is that of the setting TOKEN';
    const refusal = { status: 401, body: statusBody(401, 'Unauthorized') };
    await using server = await cannedServer(refusal, { getToken, tokenOrigin });
    const fault = {
      kind: 'denied',
      code: 'Unauthorized',
      message: expect.stringMatching(/.; the token is that of the setting TOKEN$/),
    };
    expect(await request(server.client, get, text, never)).toMatchObject({ fault });
    expect(server.received).toHaveLength(1);
    const watch = { signal: never, onLine: () => undefined, inactivityTimeoutMs: 1000 };
    expect(await openWatch(server.client, get.path, {}, watch)).toMatchObject({ fault });
  });

  it('’s origin is not reported another refusal', async () => {
    const refusal = { status: 403, body: statusBody(403, 'Forbidden') };
    await using server = await cannedServer(refusal, { tokenOrigin: 'from a setting' });
    const answer = await request(server.client, get, text, never);
    expect(answer).toMatchObject({ fault: { kind: 'denied', code: 'Forbidden' } });
    expect(JSON.stringify(answer)).not.toContain('setting');
  });

  it('that can’t be had, or is no header, is transient, and is quoted nowhere', async () => {
    for (const getToken of [async () => 'se\ncret', async () => Promise.reject(new Error('because of secret'))]) {
      await using server = await cannedServer({}, { getToken });
      const answer = await request(server.client, get, text, never);
      expect(answer).toMatchObject({ fault: { kind: 'transient' } });
      expect(JSON.stringify(answer)).not.toMatch(/cret/);
    }
  });
});

describe('TLS', () => {
  it('trusts the cluster’s CA and no other, whatever the environment says', async () => {
    const [ours, other] = await Promise.all([createCertificateAuthority('ours'), createCertificateAuthority('other')]);
    const pair = await issueCertificate(ours, { commonName: 'api', ipAddresses: ['127.0.0.1'], usages: ['server'] });
    const server = createServer({ cert: pair.certPem, key: pair.keyPem }, (_, response) =>
      response.end('{"text":"safe"}'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const ask = async (caPem: string) => {
      const client = createKubernetesClient({
        server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
        caPem,
        getToken: async () => 't',
        requestTimeoutMs: 5000,
        userAgent: 'test/1',
      });
      const answer = await request(client, get, text, never);
      client.close();
      return answer;
    };
    expect(await ask(ours.certPem)).toMatchObject({ value: 'safe' });
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      expect(await ask(other.certPem)).toMatchObject({ fault: { kind: 'transient' } });
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      server.close();
    }
  });

  it('is required beyond loopback', () => {
    const config = { getToken: async () => 't', requestTimeoutMs: 1, userAgent: 'x' };
    expect(() => createKubernetesClient({ ...config, server: 'http://api.example.com' })).toThrow(/https/);
  });
});

describe('a watch', () => {
  const query = { watch: '1' };
  const read = async (answer: Parameters<typeof cannedServer>[0], inactivityTimeoutMs = 5000) => {
    await using server = await cannedServer(answer);
    const lines: string[] = [];
    const options = { signal: never, onLine: (line: string) => void lines.push(line), inactivityTimeoutMs };
    return { lines, ended: await openWatch(server.client, '/api/v1/pods', query, options) };
  };

  it('gives each line, however it was cut, until the server ends it', async () => {
    const bytes = Buffer.from('{"type":"ADDED","object":"ü"}\n{"type":"BOOKMARK"}\n\n');
    const { lines, ended } = await read((_, response) => {
      response.writeHead(200);
      for (const byte of bytes) response.write(Buffer.of(byte));
      response.end();
      return undefined;
    });
    expect(lines).toStrictEqual(['{"type":"ADDED","object":"ü"}', '{"type":"BOOKMARK"}']);
    expect(ended).toStrictEqual({ ok: true, value: undefined });
  });

  it('ended within a line is transient', async () => {
    const { lines, ended } = await read({ body: '{"a":1}\n{"b":' });
    expect(lines).toStrictEqual(['{"a":1}']);
    expect(ended).toMatchObject({ fault: { kind: 'transient' } });
  });

  it('of a version that is too old is a conflict', async () => {
    const { ended } = await read({ status: 410, body: statusBody(410, 'Expired') });
    expect(ended).toMatchObject({ fault: { kind: 'conflict', code: 'Expired' } });
  });

  it('that falls silent is given up', async () => {
    const { lines, ended } = await read((_, response) => {
      response.writeHead(200);
      response.write('{"a":1}\n');
      return undefined;
    }, 50);
    expect(lines).toHaveLength(1);
    expect(ended).toMatchObject({
      fault: { kind: 'transient', message: expect.stringContaining('nothing came within 50 ms') },
    });
  });

  it('passes on what its reader throws', async () => {
    await using server = await cannedServer({ body: '{}\n' });
    const onLine = () => {
      throw new RangeError('a bug');
    };
    await expect(
      openWatch(server.client, '/w', query, { signal: never, onLine, inactivityTimeoutMs: 5000 }),
    ).rejects.toThrow('a bug');
  });
});
