import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { createCertificateAuthority, issueCertificate } from '../../../infra/local/pki.ts';
import { guardedLookup } from '../../../shared/adapters/registry/guarded-lookup.ts';
import type { ResolveAll } from '../../../shared/adapters/registry/guarded-lookup.ts';
import { createImageRegistry } from '../../../shared/adapters/registry/image-registry.ts';
import type { CallObserver } from '../../../shared/ports/telemetry.ts';
import { sampleImage } from '../../fixtures/images.ts';
import { challenged, queryOf, registryAt, serving, smallRegistry } from './small-registry.ts';
import type { Answer } from './small-registry.ts';

const signal = AbortSignal.timeout(60_000);
const image = sampleImage({ config: { User: '1000' } });
const pull = { username: 'u', password: 'planted' };
const redirecting =
  (to: string, status = 307): Answer =>
  (asked, response) =>
    asked.path.includes('/blobs/') ? { status, headers: { location: to } } : serving(image)(asked, response);
const blob = image.blobs[0]?.bytes ?? Buffer.alloc(0);

describe('a blob that is elsewhere', () => {
  const closed =
    (inner: Answer): Answer =>
    (asked, response) =>
      asked.headers.authorization === undefined ? challenged('Basic realm="x"') : inner(asked, response);

  it.each([301, 302, 303, 307, 308])('is got from there (%i), and the login stays here', async (status) => {
    await using store = await smallRegistry(() => ({ body: blob }));
    await using server = await smallRegistry(closed(redirecting(`${store.origin}/blob?sig=1`, status)));
    const registry = registryAt(server.origin, {
      endpoints: { 'registry.example': server.origin, 'store.example': store.origin },
    });
    expect(await registry.getConfig(queryOf(image.digest, { logins: [pull] }), signal)).toMatchObject({
      value: { user: '1000' },
    });
    expect(store.asked.map(({ path, headers }) => [path, headers.authorization])).toEqual([['/blob?sig=1', undefined]]);
  });

  it('on a host that is mapped is got from where it is mapped to', async () => {
    await using store = await smallRegistry(() => ({ body: blob }));
    await using server = await smallRegistry(redirecting('https://store.example/blob'));
    const registry = registryAt(server.origin, {
      endpoints: { 'registry.example': server.origin, 'store.example': store.origin },
    });
    expect(await registry.getConfig(queryOf(image.digest), signal)).toMatchObject({ ok: true });
    expect(store.asked).toHaveLength(1);
  });

  it('on the same host is got with the login', async () => {
    await using server = await smallRegistry(
      closed((asked, response) => (asked.path === '/else' ? { body: blob } : redirecting('/else')(asked, response))),
    );
    const query = queryOf(image.digest, { logins: [pull] });
    expect(await registryAt(server.origin).getConfig(query, signal)).toMatchObject({ ok: true });
    expect(server.asked.at(-1)).toMatchObject({ path: '/else', headers: { authorization: expect.any(String) } });
  });

  it('elsewhere may not ask for the login', async () => {
    await using thief = await smallRegistry(() => ({ body: '{"token":"x"}' }));
    await using store = await smallRegistry(({ path }) =>
      path === '/blob'
        ? { status: 307, headers: { location: '/next' } }
        : challenged(`Bearer realm="${thief.origin}/token"`),
    );
    await using server = await smallRegistry(redirecting(`${store.origin}/blob`));
    const registry = registryAt(server.origin, {
      endpoints: { 'registry.example': server.origin, a: store.origin, b: thief.origin },
    });
    const query = queryOf(image.digest, { logins: [pull] });
    expect(await registry.getConfig(query, signal)).toMatchObject({ fault: { kind: 'denied' } });
    expect(thief.asked).toEqual([]);
  });

  it('is not got back with a login that was dropped on the way', async () => {
    await using server = await smallRegistry(() => ({ body: blob }));
    await using store = await smallRegistry(({ path }) => ({
      status: 307,
      headers: { location: path === '/blob' ? '/next' : `${server.origin}/back` },
    }));
    await using first = await smallRegistry(closed(redirecting(`${store.origin}/blob`)));
    const registry = registryAt(first.origin, {
      endpoints: { 'registry.example': first.origin, a: store.origin, b: server.origin },
    });
    await registry.getConfig(queryOf(image.digest, { logins: [pull] }), signal);
    const seen = [...store.asked, ...server.asked].map(({ path, headers }) => [path, headers.authorization]);
    expect(seen).toEqual([
      ['/blob', undefined],
      ['/next', undefined],
      ['/back', undefined],
    ]);
  });

  it.each([
    ['over plain http', 'http://store.example/blob', 'InsecureRegistry'],
    ['at the metadata service', 'https://169.254.169.254/metadata', 'ForbiddenAddress'],
    ['on this machine', 'https://[::1]:1/', 'ForbiddenAddress'],
    ['on this machine in other digits', 'https://0x7f.1:1/', 'ForbiddenAddress'],
    ['with a user in its URL', 'https://u:p@store.example/blob', 'InsecureRegistry'],
    ['in a file', 'file:///etc/passwd', 'InsecureRegistry'],
  ])('%s is not got', async (_, to, code) => {
    await using server = await smallRegistry(redirecting(to));
    expect(await registryAt(server.origin).getConfig(queryOf(image.digest), signal)).toMatchObject({
      ok: false,
      fault: { kind: 'rejected', code },
    });
  });

  it.each(['', 'https://'])('nowhere is not got: %j', async (location) => {
    await using server = await smallRegistry((asked, response) =>
      asked.path.includes('/blobs/')
        ? { status: 302, headers: location === '' ? {} : { location } }
        : serving(image)(asked, response),
    );
    expect(await registryAt(server.origin).getConfig(queryOf(image.digest), signal)).toMatchObject({
      fault: { kind: 'transient', message: expect.stringContaining('302') },
    });
  });

  it('in a circle is looked for six times', async () => {
    await using server = await smallRegistry(({ path }) => ({ status: 302, headers: { location: `${path}x` } }));
    expect(await registryAt(server.origin).getConfig(queryOf(image.digest), signal)).toMatchObject({
      fault: { kind: 'rejected', code: 'TooManyRedirects', message: expect.stringContaining('registry.example') },
    });
    expect(server.asked).toHaveLength(6);
  });
});

it('a registry that switches protocols is no answer, and is not waited for', async () => {
  await using server = await smallRegistry((_, { socket }) => {
    socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    return undefined;
  });
  expect(await registryAt(server.origin).getDigest(queryOf('v1'), signal)).toEqual({
    ok: false,
    fault: { kind: 'transient', message: 'registry.example could not be asked: ECONNRESET' },
  });
});

describe('nothing is asked', () => {
  const to =
    (...addresses: string[]): ResolveAll =>
    (_, __, done) =>
      done(
        null,
        addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
      );

  it.each([
    ['an address of loopback', (port: number) => `127.0.0.1:${port}`, undefined],
    ['loopback in other digits', (port: number) => `0x7f000001:${port}`, undefined],
    ['the name of this machine', (port: number) => `localhost:${port}`, undefined],
    ['a name of loopback', (port: number) => `evil.example:${port}`, to('127.0.0.1')],
    ['a name of loopback, in IPv6', (port: number) => `evil.example:${port}`, to('::ffff:127.0.0.1')],
    ['a name of several of our own', (port: number) => `evil.example:${port}`, to('10.0.0.1', '127.0.0.1', 'fd00::1')],
  ])('where a registry is %s', async (_, host, resolve) => {
    await using server = await smallRegistry(serving(image));
    const registry = createImageRegistry({
      endpoints: {},
      userAgent: 'test/1',
      ...(resolve !== undefined && { resolve }),
    });
    expect(await registry.getDigest(queryOf('v1', { registry: host(server.port) }), signal)).toMatchObject({
      ok: false,
      fault: { kind: 'rejected', code: 'ForbiddenAddress' },
    });
    expect(server.connections()).toBe(0);
  });

  it('where a registry has no name that could be asked', async () => {
    const registry = createImageRegistry({ endpoints: {}, userAgent: 'test/1' });
    expect(await registry.getDigest(queryOf('v1', { registry: 'r.example:99999' }), signal)).toMatchObject({
      fault: { kind: 'rejected', code: 'InvalidRegistry' },
    });
  });

  const lookUp = (resolve: ResolveAll, all: boolean) =>
    new Promise((settle) => {
      guardedLookup(resolve)('r.example', { all }, (error, address, family) =>
        settle(error === null ? [address, family] : error),
      );
    });

  it('but at the allowed addresses of a name', async () => {
    const mixed = to('10.0.0.1', '20.60.0.1', '::1', '2606:4700::1');
    expect(await lookUp(mixed, true)).toEqual([
      [
        { address: '20.60.0.1', family: 4 },
        { address: '2606:4700::1', family: 6 },
      ],
      undefined,
    ]);
    expect(await lookUp(mixed, false)).toEqual(['20.60.0.1', 4]);
  });

  it('and a name that does not resolve is reported as such', async () => {
    const none: ResolveAll = (_, __, done) => done(Object.assign(new Error('planted'), { code: 'ENOTFOUND' }));
    const registry = createImageRegistry({ endpoints: {}, userAgent: 'test/1', resolve: none });
    expect(await registry.getDigest(queryOf('v1', { registry: 'no.example' }), signal)).toEqual({
      ok: false,
      fault: { kind: 'transient', message: 'no.example could not be asked: ENOTFOUND' },
    });
  });
});

describe('a registry with a certificate of a private authority', () => {
  it('is asked where that is trusted, and only there', async () => {
    const authority = await createCertificateAuthority('test');
    const pair = await issueCertificate(authority, {
      commonName: 'registry',
      ipAddresses: ['127.0.0.1'],
      usages: ['server'],
    });
    await using server = await smallRegistry(serving(image), pair);
    expect(await registryAt(server.origin).getDigest(queryOf('v1'), signal)).toMatchObject({
      fault: { kind: 'transient', message: expect.stringMatching(/^registry\.example could not be asked: [A-Z_]+$/) },
    });
    const trusting = registryAt(server.origin, { caPem: authority.certPem });
    expect(await trusting.getDigest(queryOf('v1'), signal)).toEqual({ ok: true, value: image.digest });
    expect(await trusting.getConfig(queryOf(image.digest), signal)).toMatchObject({ ok: true });
  });
});

describe('who observes', () => {
  it('is reported each request what it was for and how it ended, and no name', async () => {
    const reported: unknown[] = [];
    const observe: CallObserver = (call) => (end) => void reported.push([call.port, call.method, call.action, end]);
    await using server = await smallRegistry((asked, response) => {
      if (asked.path.startsWith('/token')) return { body: '{"token":"x"}' };
      if (asked.path.includes('/blobs/')) return { status: 503 };
      return asked.headers.authorization === undefined
        ? challenged(`Bearer realm="${server.origin}/token"`)
        : serving(image)(asked, response);
    });
    await registryAt(server.origin, { observe }).getConfig(queryOf(image.digest), signal);
    await registryAt('http://127.0.0.1:1', { observe }).getDigest(queryOf('v1'), signal);
    expect(reported).toEqual([
      ['registry', 'GET', 'manifest', { status: 401 }],
      ['registry', 'GET', 'token', { status: 200 }],
      ['registry', 'GET', 'manifest', { status: 200 }],
      ['registry', 'GET', 'blob', { status: 503, fault: 'transient' }],
      ['registry', 'HEAD', 'manifest', { fault: 'transient' }],
    ]);
  });
});
