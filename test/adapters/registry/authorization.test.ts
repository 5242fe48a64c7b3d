import { describe, expect, it } from 'vitest';
import type { ImageRegistry, RegistryLogin } from '../../../shared/ports/image-registry.ts';
import { sampleImage } from '../../fixtures/images.ts';
import { challenged, errorOf, queryOf, registryAt, serving, smallRegistry } from './small-registry.ts';
import type { Answer, Asked, Said } from './small-registry.ts';

const signal = AbortSignal.timeout(60_000);
const image = sampleImage({ config: { User: '1000' } });
const pull: RegistryLogin = { username: 'u', password: 'planted-1' };
const other: RegistryLogin = { username: 'v', password: 'planted-2' };
const basic = ({ username, password }: RegistryLogin) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** With an authorization service beside it, which gives a token to whom `mayEnter` lets in. */
const withTokens =
  (mayEnter: (authorization: string | undefined) => boolean): Answer =>
  (asked, response) => {
    const { path, headers } = asked;
    if (path.startsWith('/token'))
      return mayEnter(headers.authorization)
        ? { body: JSON.stringify({ token: `for-${headers.authorization ?? 'nobody'}`.replaceAll(' ', '-') }) }
        : errorOf(401, 'UNAUTHORIZED', 'who are you?');
    if (headers.authorization?.startsWith('Bearer for-') === true) return serving(image)(asked, response);
    const realm = `http://${headers.host ?? ''}/token?x=1`;
    return challenged(`Bearer realm="${realm}",service="the service",scope="repository:mirror/app:pull"`);
  };

const paths = (asked: readonly Asked[]) => asked.map(({ method, path }) => `${method} ${path}`);
const token = 'GET /token?x=1&scope=repository%3Amirror%2Fapp%3Apull&service=the+service';
const tag = 'HEAD /v2/team/app/manifests/v1';

describe('a registry that wants a token', () => {
  it('gets one for the login, which goes to the authorization service alone', async () => {
    await using server = await smallRegistry(withTokens((who) => who === basic(pull)));
    const registry = registryAt(server.origin);
    expect(await registry.getDigest(queryOf('v1', { logins: [pull] }), signal)).toEqual({
      ok: true,
      value: image.digest,
    });
    expect(paths(server.asked)).toEqual([tag, token, tag]);
    expect(server.asked.map(({ headers }) => headers.authorization?.split(' ')[0])).toEqual([
      undefined,
      'Basic',
      'Bearer',
    ]);
  });

  it('gets the same for a while, from the same logins', async () => {
    await using server = await smallRegistry(withTokens((who) => who === basic(pull)));
    const registry = registryAt(server.origin);
    await registry.getDigest(queryOf('v1', { logins: [pull] }), signal);
    expect(await registry.getConfig(queryOf(image.digest, { logins: [pull] }), signal)).toMatchObject({
      value: { user: '1000' },
    });
    expect(server.asked.filter(({ path }) => path.startsWith('/token'))).toHaveLength(1);
    expect(await registry.getDigest(queryOf('v1', { logins: [other] }), signal)).toMatchObject({
      fault: { kind: 'denied' },
    });
  });

  it.each([401, 403])('gets another when it takes the old one no longer (%i)', async (status) => {
    let refused = 'none';
    await using server = await smallRegistry((asked, response) =>
      asked.headers.authorization === refused ? { status } : withTokens(() => true)(asked, response),
    );
    const registry = registryAt(server.origin);
    await registry.getDigest(queryOf('v1'), signal);
    refused = server.asked.at(-1)?.headers.authorization ?? '';
    expect(await registry.getDigest(queryOf('v1'), signal)).toMatchObject({ fault: { kind: 'denied' } });
    refused = 'none';
    server.asked.length = 0;
    expect(await registry.getDigest(queryOf('v1'), signal)).toMatchObject({ ok: true });
    expect(paths(server.asked)).toEqual([tag, token, tag]);
  });

  it('asks as the next one where a token is not enough', async () => {
    await using server = await smallRegistry((asked, response) =>
      asked.headers.authorization === `Bearer for-${basic(pull).replaceAll(' ', '-')}`
        ? errorOf(403, 'DENIED', 'not yours')
        : withTokens((who) => who !== undefined)(asked, response),
    );
    const registry = registryAt(server.origin);
    const logins = [pull, other];
    expect(await registry.getDigest(queryOf('v1', { logins }), signal)).toMatchObject({ ok: true });
    expect(await registry.getDigest(queryOf('v1', { logins: [pull] }), signal)).toMatchObject({
      fault: { kind: 'denied', message: expect.stringContaining('403') },
    });
  });

  it('asks for eight logins and no more', async () => {
    await using server = await smallRegistry(withTokens(() => false));
    const logins = Array.from({ length: 20 }, (_, index) => ({ username: `u${index}`, password: 'planted' }));
    await registryAt(server.origin).getDigest(queryOf('v1', { logins }), signal);
    expect(server.asked.filter(({ path }) => path.startsWith('/token'))).toHaveLength(9);
  });

  it('where it names no scope, gets one to pull this repository', async () => {
    await using server = await smallRegistry(({ path, headers }) =>
      path.startsWith('/token') ? { status: 500 } : challenged(`Bearer realm="http://${headers.host ?? ''}/token"`),
    );
    await registryAt(server.origin).getDigest(queryOf('v1'), signal);
    expect(server.asked[1]?.path).toBe('/token?scope=repository%3Ateam%2Fapp%3Apull');
  });

  it('gets one for nobody, where nobody has a login or none is let in', async () => {
    await using server = await smallRegistry(withTokens((who) => who === undefined));
    expect(await registryAt(server.origin).getDigest(queryOf('v1'), signal)).toMatchObject({ ok: true });
    expect(await registryAt(server.origin).getDigest(queryOf('v1', { logins: [pull] }), signal)).toMatchObject({
      ok: true,
    });
  });

  it('asks one login after the other', async () => {
    await using server = await smallRegistry(withTokens((who) => who === basic(other)));
    const logins = [pull, other];
    expect(await registryAt(server.origin).getDigest(queryOf('v1', { logins }), signal)).toMatchObject({ ok: true });
    expect(paths(server.asked)).toEqual([tag, token, token, tag]);
  });

  it('and lets nobody in: denied, in the words of who refused the login', async () => {
    await using server = await smallRegistry(withTokens(() => false));
    const answer = await registryAt(server.origin).getDigest(queryOf('v1', { logins: [pull] }), signal);
    expect(answer).toEqual({
      ok: false,
      fault: {
        kind: 'denied',
        code: 'UNAUTHORIZED',
        message: `127.0.0.1:${server.port} answered 401 for a token for team/app: who are you?`,
      },
    });
  });

  it.each<[string, Said, string]>([
    ['a page', { body: '<html>' }, 'transient'],
    ['nothing', { body: '{}' }, 'transient'],
    ['an error', { status: 500 }, 'transient'],
    ['too many', { status: 429 }, 'throttled'],
  ])('and answers %s for one: %s', async (_, said, kind) => {
    await using server = await smallRegistry(({ path, headers }) =>
      path.startsWith('/token') ? said : challenged(`Bearer realm="http://${headers.host ?? ''}/token"`),
    );
    expect(await registryAt(server.origin).getDigest(queryOf('v1'), signal)).toMatchObject({ fault: { kind } });
  });

  it.each([
    ['nowhere', 'nowhere', 'transient', undefined],
    ['over plain http elsewhere', 'http://auth.example/token', 'rejected', 'InsecureRegistry'],
    ['at the metadata service', 'https://169.254.169.254/token', 'rejected', 'ForbiddenAddress'],
    ['of a file', 'file:///etc/passwd', 'rejected', 'InsecureRegistry'],
  ])('from %s: the login stays here', async (_, realm, kind, code) => {
    await using server = await smallRegistry(() => challenged(`Bearer realm="${realm}"`));
    const answer = await registryAt(server.origin).getDigest(queryOf('v1', { logins: [pull] }), signal);
    expect(answer).toMatchObject({ ok: false, fault: { kind, ...(code !== undefined && { code }) } });
    expect(server.asked).toHaveLength(1);
    expect(JSON.stringify(answer)).not.toContain('planted');
  });

  it('in a way that nobody knows: denied', async () => {
    await using server = await smallRegistry(() => challenged('Negotiate'));
    expect(await registryAt(server.origin).getDigest(queryOf('v1', { logins: [pull] }), signal)).toMatchObject({
      fault: { kind: 'denied', code: 'Unauthorized' },
    });
  });
});

describe('the pull identity', () => {
  const identity = {
    getToken: () => Promise.resolve({ token: 'planted-entra', expiresOnTimestamp: Date.now() + 3_600_000 }),
  };
  const acr = 'shop1.azurecr.io';
  const user = '00000000-0000-0000-0000-000000000000';
  const refresh: RegistryLogin = { username: user, password: 'planted-refresh' };
  const exchanging =
    (said: Said, tokens = withTokens((who) => who === basic(refresh))): Answer =>
    (asked, response) =>
      asked.path === '/oauth2/exchange' ? said : tokens(asked, response);
  const asIdentity = (origin: string, pullIdentity: object = identity): ImageRegistry =>
    registryAt(origin, {
      endpoints: { [acr]: origin, 'registry.example': origin },
      pullIdentity: pullIdentity as typeof identity,
    });
  const given: Said = { body: JSON.stringify({ refresh_token: 'planted-refresh' }) };

  it('is let in by a registry of Azure, after the pull secrets', async () => {
    await using server = await smallRegistry(exchanging(given));
    const registry = asIdentity(server.origin);
    const query = queryOf('v1', { registry: acr, logins: [pull] });
    expect(await registry.getDigest(query, signal)).toMatchObject({ ok: true });
    expect(paths(server.asked)).toEqual([tag, token, 'POST /oauth2/exchange', token, tag]);
    const exchange = server.asked.find(({ method }) => method === 'POST');
    expect(exchange?.body).toBe(`grant_type=access_token&service=${acr}&access_token=planted-entra`);
  });

  it('is not asked where a pull secret is let in', async () => {
    await using server = await smallRegistry(
      exchanging(
        given,
        withTokens((who) => who === basic(pull)),
      ),
    );
    await asIdentity(server.origin).getDigest(queryOf('v1', { registry: acr, logins: [pull] }), signal);
    expect(server.asked.some(({ method }) => method === 'POST')).toBe(false);
  });

  it.each(['registry.example', 'azurecr.io.registry.example', 'index.docker.io'])(
    'is never shown to %s',
    async (host) => {
      await using server = await smallRegistry(exchanging(given));
      const registry = registryAt(server.origin, {
        endpoints: { [host]: server.origin, 'registry-1.docker.io': server.origin },
        pullIdentity: identity,
      });
      expect(await registry.getDigest(queryOf('v1', { registry: host }), signal)).toMatchObject({ ok: false });
      expect(server.asked.some(({ method }) => method === 'POST')).toBe(false);
    },
  );

  it.each<[string, Said, string]>([
    ['is refused: nobody is tried', errorOf(403, 'DENIED', 'no AcrPull'), 'ok'],
    ['is met by a page', { body: '<html>' }, 'transient'],
    [
      'is met by a redirect, which nobody follows with a token',
      { status: 307, headers: { location: '/x' } },
      'transient',
    ],
    ['is met by an error', { status: 503 }, 'transient'],
  ])('%s', async (_, said, kind) => {
    await using server = await smallRegistry(
      exchanging(
        said,
        withTokens((who) => who === undefined),
      ),
    );
    const answer = await asIdentity(server.origin).getDigest(queryOf('v1', { registry: acr }), signal);
    expect(answer.ok ? 'ok' : answer.fault.kind).toBe(kind);
    expect(JSON.stringify(answer)).not.toContain('planted');
  });

  it('that has no token is reported by name, not by what its library says', async () => {
    await using server = await smallRegistry(
      exchanging(
        given,
        withTokens(() => false),
      ),
    );
    const none = { getToken: () => Promise.reject(new Error('planted: client secret')) };
    const answer = await asIdentity(server.origin, none).getDigest(queryOf('v1', { registry: acr }), signal);
    expect(answer).toMatchObject({ fault: { kind: 'denied', code: 'NoToken' } });
    expect(JSON.stringify(answer)).not.toContain('planted');
  });
});
