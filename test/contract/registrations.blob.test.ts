import { randomUUID } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, inject, it } from 'vitest';
import { createCertificateAuthority, issueCertificate } from '../../infra/local/pki.ts';
import { blobSas, createContainer } from '../../infra/local/storage-sas.ts';
import { createRegistrationBlob } from '../../shared/adapters/registrations/registration-blob.ts';
import { describeRegistrations } from './registrations.suite.ts';
import { defined } from '../../shared/core/defined.ts';

const endpoint = inject('blobEndpoint');
const container = 'serverless-kubelet';
const inAnHour = new Date(Date.now() + 3_600_000);
const sas = blobSas({ resourceTypes: 'o', permissions: 'rwdc', expiresAt: inAnHour });

async function newBlob(): Promise<string> {
  await createContainer(endpoint, container);
  return `${endpoint}/${container}/${randomUUID()}.json?${sas}`;
}

async function write(url: string, text: string | undefined): Promise<void> {
  const answer = await fetch(url, {
    method: text === undefined ? 'DELETE' : 'PUT',
    headers: { 'x-ms-version': '2021-12-02', 'x-ms-blob-type': 'BlockBlob' },
    ...defined({ body: text }),
  });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);
}

describeRegistrations('a blob (Azurite)', async () => {
  const url = await newBlob();
  return {
    registrations: createRegistrationBlob({ url }),
    other: createRegistrationBlob({ url }),
    write: (text) => write(url, text),
  };
});

const signal = AbortSignal.timeout(60_000);

describe('a blob that can’t be read or written', () => {
  it('is refused with a SAS that is over, is of another key or allows too little, and the SAS is not reported', async () => {
    const url = await newBlob();
    await write(url, '{"clusters":[]}');
    const [path = ''] = url.split('?');
    const over = blobSas({ resourceTypes: 'o', permissions: 'r', expiresAt: new Date(Date.now() - 60_000) });
    const readOnly = blobSas({ resourceTypes: 'o', permissions: 'r', expiresAt: inAnHour });
    const forged = `${readOnly.split('&sig=')[0]}&sig=${encodeURIComponent('c2lnbmF0dXJl')}`;
    const read = createRegistrationBlob({ url: `${path}?${readOnly}` });
    expect(await read.get(undefined, signal)).toMatchObject({ ok: true });
    for (const result of [
      await createRegistrationBlob({ url: `${path}?${over}` }).get(undefined, signal),
      await createRegistrationBlob({ url: `${path}?${forged}` }).get(undefined, signal),
      await read.put([], '"0x1"', signal),
    ]) {
      expect(result).toMatchObject({ ok: false, fault: { kind: 'denied' } });
      expect(JSON.stringify(result)).not.toMatch(/sig=|c2lnbmF0dXJl/);
    }
  });

  it('has no clusters in a container that is not there, and is not put there', async () => {
    const blob = createRegistrationBlob({ url: `${endpoint}/no-such-container/a.json?${sas}` });
    expect(await blob.get(undefined, signal)).toEqual({
      ok: true,
      value: { kind: 'read', etag: undefined, clusters: [] },
    });
    expect(await blob.put([], undefined, signal)).toMatchObject({ fault: { kind: 'not-found' } });
  });

  it('is a transient fault that does not name the SAS when nobody listens, or nobody answers in time', async () => {
    const deaf = createRegistrationBlob({ url: 'http://127.0.0.1:1/a/b.json?sig=planted' });
    const late = createRegistrationBlob({ url: await newBlob() });
    for (const result of [
      await deaf.get(undefined, signal),
      await deaf.put([], undefined, signal),
      await late.get(undefined, AbortSignal.abort()),
    ]) {
      expect(result).toMatchObject({ ok: false, fault: { kind: 'transient' } });
      expect(JSON.stringify(result)).not.toContain('planted');
    }
  });
});

describe('a blob without a SAS', () => {
  /** A storage account with a certificate of our own: the token is checked, and each answer can be reported. */
  async function openServer(answer: { status: number; headers?: Record<string, string>; body?: string }) {
    const authority = await createCertificateAuthority('storage');
    const pair = await issueCertificate(authority, {
      commonName: 'storage',
      ipAddresses: ['127.0.0.1'],
      usages: ['server'],
    });
    const seen: { authorization: string | undefined; version: string | undefined }[] = [];
    const server = createServer({ cert: pair.certPem, key: pair.keyPem }, (request, response) => {
      seen.push({
        authorization: request.headers.authorization,
        version: String(request.headers['x-ms-version']),
      });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve());
    });
    const { port } = server.address() as AddressInfo;
    const scopes: unknown[] = [];
    const blob = createRegistrationBlob({
      url: `https://127.0.0.1:${port}/serverless-kubelet/prod.json`,
      caPem: authority.certPem,
      credential: {
        getToken: async (asked) => {
          scopes.push(asked);
          return { token: 'planted-token', expiresOnTimestamp: Date.now() + 3_600_000 };
        },
      },
    });
    return { blob, seen, scopes, [Symbol.dispose]: () => void server.close() };
  }

  it('is read with a token of Blob storage', async () => {
    using server = await openServer({ status: 200, headers: { etag: '"1"' }, body: '{"clusters":[]}' });
    expect(await server.blob.get(undefined, signal)).toMatchObject({ ok: true, value: { etag: '"1"' } });
    expect(server.seen).toEqual([{ authorization: 'Bearer planted-token', version: '2021-12-02' }]);
    expect(server.scopes.flat()).toEqual(['https://storage.azure.com/.default']);
  });

  it.each([
    [200, {}, 'transient'],
    [200, { etag: '"1"', 'content-type': 'text/html' }, 'rejected'],
    [302, { location: 'https://127.0.0.1:1/' }, 'transient'],
    [304, {}, 'transient'],
    [400, { 'x-ms-error-code': 'InvalidHeaderValue' }, 'rejected'],
    [400, {}, 'transient'],
    [401, {}, 'denied'],
    [403, { 'x-ms-error-code': 'AuthorizationPermissionMismatch' }, 'denied'],
    [404, {}, 'not-found'],
    [429, { 'retry-after': '7' }, 'throttled'],
    [500, {}, 'transient'],
    [503, {}, 'throttled'],
  ])('that is answered %i %o is %s, after one request', async (status, headers, kind) => {
    using server = await openServer({ status, headers: { ...headers }, body: status === 304 ? '' : '<html>' });
    const result = await server.blob.get(undefined, signal);
    expect(result.ok ? 'ok' : result.fault.kind).toBe(kind);
    expect(JSON.stringify(result)).not.toContain('planted');
    expect(server.seen).toHaveLength(1);
  });
});
