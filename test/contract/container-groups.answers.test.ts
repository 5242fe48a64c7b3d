import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCertificateAuthority, issueCertificate } from '../../infra/local/pki.ts';
import type { ArmConfig } from '../../shared/adapters/arm/arm-client.ts';
import { createArmContainerGroups } from '../../shared/adapters/arm/container-groups.ts';
import { fail, ok } from '../../shared/core/fault.ts';
import type { BudgetObservation, Spend } from '../../shared/ports/budgets.ts';
import { groupBody } from './container-groups.suite.ts';

interface Canned {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly drop?: true;
  readonly hang?: true;
}

const { signal } = new AbortController();
const json = (value: object, headers: Readonly<Record<string, string>> = {}): Canned => ({
  status: 200,
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json', ...headers },
});

/** An ARM that says just what it is asked to, and counts how often it is asked. */
describe('ARM that does not answer as it should', () => {
  let server: Server;
  let endpoint = '';
  let authorityPem = '';
  let script: Canned[] = [];
  const requests: { readonly method: string; readonly url: string; readonly token: string; readonly body: string }[] =
    [];
  const reports: { readonly spend: Spend; readonly observation: BudgetObservation }[] = [];
  const logged: string[] = [];

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = request;
    requests.push({ method, url, token: headers.authorization ?? '', body: await text(request) });
    const canned = script.length > 1 ? script.shift() : script[0];
    if (canned === undefined || canned.drop === true) {
      request.socket.destroy();
      return;
    }
    if (canned.hang === true) return;
    response.writeHead(canned.status, canned.headers).end(canned.body);
  };

  beforeAll(async () => {
    const authority = await createCertificateAuthority('canned ARM');
    const pair = await issueCertificate(authority, {
      commonName: 'arm',
      ipAddresses: ['127.0.0.1'],
      dnsNames: ['localhost'],
      usages: ['server'],
    });
    authorityPem = authority.certPem;
    server = createServer(
      { cert: pair.certPem, key: pair.keyPem },
      (request, response) => void answer(request, response),
    );
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve());
    });
    endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    for (const list of [requests, reports, logged]) list.length = 0;
  });

  const open = (changes: Partial<ArmConfig> = {}) =>
    createArmContainerGroups({
      subscriptionId: 's',
      resourceGroup: 'rg',
      location: 'westeurope',
      endpoint,
      credential: { getToken: async () => ({ token: 'planted-token', expiresOnTimestamp: Date.now() + 3_600_000 }) },
      budgets: {
        take: async () => ok(undefined),
        report: async (spend, observation) => void reports.push({ spend, observation }),
      },
      log: {
        info: () => undefined,
        warn: (message, fields) => void logged.push(`${message} ${JSON.stringify(fields)}`),
      },
      certificateAuthorityPem: authorityPem,
      ...changes,
    });
  const kindOf = (result: { ok: true } | { ok: false; fault: { kind: string } }) =>
    result.ok ? 'ok' : result.fault.kind;

  it.each<[string, Canned, string]>([
    ['500', { status: 500 }, 'transient'],
    ['503 with Retry-After', { status: 503, headers: { 'retry-after': '1' } }, 'transient'],
    ['429 with Retry-After', { status: 429, headers: { 'retry-after': '1' } }, 'throttled'],
    ['a redirect', { status: 307, headers: { location: '/elsewhere' } }, 'transient'],
    ['a lost connection', { status: 0, drop: true }, 'transient'],
    ['HTML', { status: 200, body: '<html>' }, 'transient'],
    ['an empty object', json({}), 'transient'],
    ['an empty body', { status: 200 }, 'transient'],
  ])('%s is a fault after exactly one request', async (_, canned, kind) => {
    script = [canned];
    expect(kindOf(await open().get('a', signal))).toBe(kind);
    expect(kindOf(await open().list(signal))).toBe(kind);
    expect(requests).toHaveLength(2);
  });

  it.each<[string, Canned, string]>([
    ['201 with the group', { status: 201, body: '{"id":"/subscriptions/s/a"}' }, 'ok'],
    [
      '201 with half a body, and an operation',
      { status: 201, body: '{', headers: { 'azure-asyncoperation': 'x' } },
      'ok',
    ],
    ['200 with a page of HTML', { status: 200, body: '<html>' }, 'transient'],
    ['200 with an empty object', json({}), 'transient'],
    ['202 without a body', { status: 202 }, 'ok'],
    ['500', { status: 500 }, 'transient'],
    ['a lost connection', { status: 0, drop: true }, 'transient'],
  ])('a PUT is judged by its own answer: %s', async (_, canned, kind) => {
    script = [canned];
    expect(kindOf(await open().createOrUpdate('a', groupBody('i'), signal))).toBe(kind);
    expect(requests.map(({ method, url }) => [method, url])).toEqual([
      [
        'PUT',
        '/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups/a?api-version=2023-05-01',
      ],
    ]);
  });

  it('keeps an operation URL to the letter, unless it is on another host', async () => {
    const url = `${endpoint}/operations/1?api-version=2018-06-01&t=6&c=${'x'.repeat(3000)}&s=a%2Bb&h=`;
    script = [{ status: 201, headers: { 'azure-asyncoperation': url } }];
    expect(await open().createOrUpdate('a', groupBody('i'), signal)).toEqual(ok({ operationUrl: url }));
    script = [{ status: 201, headers: { 'azure-asyncoperation': 'https://evil.test/operations/1' } }];
    expect(await open().createOrUpdate('a', groupBody('i'), signal)).toEqual(ok({}));
    script = [json({ status: 'Failed' })];
    expect(kindOf(await open().getOperation(url, signal))).toBe('ok');
    expect(requests.at(-1)?.url).toBe(url.slice(endpoint.length));
  });

  const session = {
    webSocketUri: 'wss://a.westus.atlas.cloudapp.azure.com:19390/execstream/1?x=%20',
    password: '9N>[[EOM]]',
  };
  const target = { group: 'g', container: 'c' };
  const shell = { ...target, command: '/bin/sh', terminalSize: { columns: 100, rows: 30 } };

  it('gives a session as it is, and asks for it in the words of ARM', async () => {
    script = [json(session)];
    expect(await open().exec(shell, signal)).toEqual(ok(session));
    expect(await open().attach(target, signal)).toEqual(ok(session));
    expect(requests.map(({ method, url, body }) => [method, url.split('/').at(-1), body])).toEqual([
      ['POST', 'exec?api-version=2023-05-01', '{"command":"/bin/sh","terminalSize":{"rows":30,"cols":100}}'],
      ['POST', 'attach?api-version=2023-05-01', ''],
    ]);
    expect(logged.join()).not.toContain(session.password);
  });

  it.each<[unknown, string]>([
    ['ws://a.test:19390/x', 'without TLS'],
    ['https://a.test:19390/x', 'by another protocol'],
    ['wss://user:password@a.test/x', 'with a credential in it'],
    ['wss://', 'without a host'],
    [`wss://a.test/${'x'.repeat(5000)}`, 'without end'],
    [17, 'that is no text'],
  ])('takes no session at %s, %s', async (webSocketUri) => {
    script = [json({ ...session, webSocketUri })];
    expect(kindOf(await open().exec(shell, signal))).toBe('transient');
    expect(kindOf(await open().attach(target, signal))).toBe('transient');
    expect(logged.join()).not.toContain(session.password);
  });

  it('sends its token to nobody else', async () => {
    const groups = open();
    const other = endpoint.replace('127.0.0.1', 'localhost');
    script = [json({ value: [], nextLink: `${other}/next` })];
    expect(kindOf(await groups.list(signal))).toBe('transient');
    for (const url of [`${other}/operations/1`, endpoint.replace('https', 'http'), 'file:///etc/passwd', 'no url', ''])
      expect(kindOf(await groups.getOperation(url, signal))).toBe('transient');
    expect(requests).toHaveLength(1);
  });

  it('gives a whole list or none, and ends one that never does', async () => {
    const item = { name: 'g', properties: { containers: [] } };
    script = [json({ value: [item], nextLink: `${endpoint}/next` }), { status: 500 }];
    expect(kindOf(await open().list(signal))).toBe('transient');
    script = [json({ value: [item], nextLink: `${endpoint}/next` })];
    expect(kindOf(await open().list(signal))).toBe('transient');
    expect(requests.length).toBeLessThanOrEqual(202);
  });

  it.each([
    [200, 'deleted'],
    [202, 'accepted'],
    [204, 'absent'],
  ])('DELETE: %i is %s', async (status, expected) => {
    script = [{ status }];
    expect(await open().delete('a', signal)).toEqual(ok(expected));
    expect(requests).toHaveLength(1);
  });

  it('reports what ARM says of its budgets', async () => {
    const remaining = 'x-ms-ratelimit-remaining-subscription';
    script = [
      {
        status: 429,
        headers: {
          'retry-after': '372',
          [`${remaining}-writes`]: '150',
          [`${remaining}-resource-requests-pt5m`]: '0',
          [`${remaining}-resource-requests-pt1h`]: '200',
        },
      },
    ];
    const result = await open().createOrUpdate('a', groupBody('i'), signal);
    expect(result).toMatchObject({ fault: { kind: 'throttled', retryAfterMs: 372_000 } });
    const observation = { retryAfterMs: 372_000, remaining: 150, windowRemaining: 0 };
    expect(reports).toEqual([{ spend: 'write-create', observation }]);
  });

  it('reports an accepted call where ARM says nothing of its budgets, and no refused one', async () => {
    script = [{ status: 201, body: '{"id":"/x","name":"a"}' }, { status: 400 }, { status: 503 }];
    for (let index = 0; index < 3; index += 1) await open().createOrUpdate('a', groupBody('i'), signal);
    expect(reports).toEqual([{ spend: 'write-create', observation: { accepted: true } }]);
  });

  it('does not take an acceptance for more than the count that comes with it', async () => {
    const headers = { 'x-ms-ratelimit-remaining-subscription-resource-requests-pt5m': '3' };
    script = [{ status: 201, headers, body: '{"id":"/x","name":"a"}' }];
    await open().createOrUpdate('a', groupBody('i'), signal);
    expect(reports).toEqual([{ spend: 'write-create', observation: { windowRemaining: 3 } }]);
  });

  it('sends nothing without a permit', async () => {
    const refused = fail({ kind: 'throttled', retryAfterMs: 5, message: 'empty' });
    const groups = open({ budgets: { take: async () => refused, report: async () => undefined } });
    expect(await groups.stop('a', signal)).toEqual(refused);
    expect(requests).toEqual([]);
  });

  it('gives up when its time is over', async () => {
    script = [{ status: 0, hang: true }];
    expect(kindOf(await open().get('a', AbortSignal.timeout(100)))).toBe('transient');
  });

  it('does not trust a certificate of another authority', async () => {
    const { certPem } = await createCertificateAuthority('somebody else');
    expect(kindOf(await open({ certificateAuthorityPem: certPem }).get('a', signal))).toBe('transient');
    expect(requests).toEqual([]);
  });

  it('logs no token, no body and no secret', async () => {
    for (const canned of [{ status: 500 }, { status: 403 }, { status: 0, drop: true }] as const) {
      script = [canned];
      await open().createOrUpdate('a', groupBody('i'), signal);
    }
    expect(logged).toHaveLength(3);
    expect(logged.join('\n')).not.toMatch(/planted|secureValue/);
  });
});
