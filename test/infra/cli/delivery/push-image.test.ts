import { describe, expect, it } from 'vitest';
import { pushImage, uploadPath } from '../../../../infra/cli/delivery/push-image.ts';
import type { PushRun, PushTarget } from '../../../../infra/cli/delivery/push-image.ts';
import { pushFix } from '../../../../infra/cli/delivery/push-stop.ts';
import { createRegistryHttp } from '../../../../shared/adapters/registry/registry-http.ts';
import { createRegistrySession } from '../../../../shared/adapters/registry/registry-session.ts';
import type { Fault } from '../../../../shared/core/fault.ts';
import { empty, keeping } from './keeping-registry.ts';
import { errorOf, smallRegistry } from '../../../adapters/registry/small-registry.ts';
import type { Answer, Asked, Said } from '../../../adapters/registry/small-registry.ts';
import { sampleImage } from '../../../fixtures/images.ts';

const image = sampleImage();
const target: PushTarget = { registry: 'prodimages.azurecr.io', repository: 'team/agent', tag: '1', logins: [] };

/** A run for which the registry is at that origin, as whoever is logged in to Azure. */
function runAt(origin: string, more: Partial<PushRun> = {}): PushRun {
  const endpoints = { [target.registry]: origin };
  const http = createRegistryHttp({ endpoints, userAgent: 'test/1', anyAddress: true, requestTimeoutMs: 2_000 });
  const credential = { getToken: () => Promise.resolve({ token: 'entra-token', expiresOnTimestamp: 0 }) };
  const session = createRegistrySession(http, { credential, name: 'your login of Azure' });
  return { session, mappedTo: origin, signal: AbortSignal.timeout(20_000), report: () => undefined, ...more };
}

/** Lets nobody in but whoever has exchanged the token of Azure for one that may push, as Azure's registries do. */
const likeAzure =
  (origin: () => string, inner: Answer, isScoped = true): Answer =>
  (asked, response) => {
    const { path, method, headers, body } = asked;
    if (path === '/oauth2/exchange')
      return body.includes('access_token=entra-token') ? { body: '{"refresh_token":"refresh"}' } : { status: 401 };
    if (path.startsWith('/oauth2/token')) {
      const isKnown =
        headers.authorization ===
        `Basic ${Buffer.from('00000000-0000-0000-0000-000000000000:refresh').toString('base64')}`;
      const scope = new URL(path, 'http://x').searchParams.get('scope') ?? '';
      return isKnown ? { body: JSON.stringify({ access_token: `may-${scope.split(':')[2]}` }) } : { status: 401 };
    }
    const needed = method === 'GET' || method === 'HEAD' ? ['may-pull', 'may-pull,push'] : ['may-pull,push'];
    if (needed.some((token) => headers.authorization === `Bearer ${token}`)) return inner(asked, response);
    const actions = method === 'GET' || method === 'HEAD' ? 'pull' : 'pull,push';
    const scope = isScoped ? `,scope="repository:team/agent:${actions}"` : '';
    const challenge = `Bearer realm="${origin()}/oauth2/token",service="prodimages.azurecr.io"${scope}`;
    return { status: 401, headers: { 'www-authenticate': challenge } };
  };

describe('an image that is pushed', () => {
  it('is in a registry of Azure for whoever may push there by the login of Azure, its bytes sent once', async () => {
    const kept = empty();
    let at = '';
    await using registry = await smallRegistry(likeAzure(() => at, keeping(kept)));
    at = registry.origin;
    expect(await pushImage(target, image, runAt(at))).toEqual({ ok: true, value: 'pushed' });
    expect([...kept.blobs.keys()].toSorted()).toEqual(image.blobs.map(({ digest }) => digest).toSorted());
    expect([...kept.manifests.keys()]).toEqual([image.digest, '1']);
    const sent = registry.asked.filter(({ method, body }) => method === 'PUT' && body !== '');
    expect(sent).toHaveLength(image.blobs.length + 2);
    expect(sent.map(({ headers }) => headers['content-type'])).toEqual([
      ...image.blobs.map(() => 'application/octet-stream'),
      image.mediaType,
      image.mediaType,
    ]);
    expect(await pushImage(target, image, runAt(at))).toEqual({ ok: true, value: 'there' });
  });

  it('is there too where a registry does not say what a token has to be for', async () => {
    let at = '';
    await using registry = await smallRegistry(likeAzure(() => at, keeping(empty()), false));
    at = registry.origin;
    expect(await pushImage(target, image, runAt(at))).toEqual({ ok: true, value: 'pushed' });
  });

  it('sends no blob that is there, and keeps the query that the registry gave', async () => {
    const kept = empty();
    const [config, layer] = image.blobs;
    kept.blobs.set(layer?.digest ?? '', layer?.bytes.toString('latin1') ?? '');
    await using registry = await smallRegistry(keeping(kept));
    expect(await pushImage(target, image, runAt(registry.origin))).toEqual({ ok: true, value: 'pushed' });
    const uploads = registry.asked.filter(({ method, path }) => method === 'PUT' && path.includes('/uploads/'));
    expect(uploads.map(({ path }) => path)).toEqual([
      `/v2/team/agent/blobs/uploads/7?_state=a%3D%3D&digest=${encodeURIComponent(config?.digest ?? '')}`,
    ]);
  });
});

const always =
  (said: Said): Answer =>
  () =>
    said;
/** A registry that answers one kind of request otherwise. */
const but =
  (is: (asked: Asked) => boolean, said: Said): Answer =>
  (asked, response) =>
    is(asked) ? said : keeping(empty())(asked, response);
const isUpload = ({ method }: Asked): boolean => method === 'POST';
const isBytes = ({ method, path }: Asked): boolean => method === 'PUT' && path.includes('/uploads/');
const isManifest = ({ method, path }: Asked): boolean => method === 'PUT' && path.includes('/manifests/');

describe('what is no registry, or will not take it, is said', () => {
  it.each<[string, Answer, RegExp, RegExp]>([
    [
      'a page of HTML for everything',
      always({ headers: { 'content-type': 'text/html' }, body: '<html>' }),
      /answers something else for sha256:/,
      /check that .* is a registry/,
    ],
    [
      '404 for everything',
      always({ status: 404 }),
      /answered 404 for an upload in team\/agent/,
      /make team\/agent there/,
    ],
    ['500 for everything', always({ status: 500 }), /answered 500/, /run the same command again/],
    [
      'an upload without a place',
      but(isUpload, { status: 202 }),
      /names no place for an upload/,
      /skopeo copy oci:dist\/agent\/image:1 /,
    ],
    [
      'an upload elsewhere',
      but(isUpload, { status: 202, headers: { location: 'https://other.example/x' } }),
      /wants an upload at other\.example/,
      /skopeo/,
    ],
    ['an upload that is answered with 200', but(isUpload, { status: 200 }), /answered 200 for an upload/, /check that/],
    [
      'bytes that it won’t take',
      but(isBytes, errorOf(400, 'DIGEST_INVALID', 'provided digest did not match')),
      /answered 400 for sha256:.*did not match/,
      /check that/,
    ],
    ['too large a request', but(isBytes, { status: 413, body: '<html>' }), /answered 413/, /raise its limit/],
    [
      'a full storage',
      but(isBytes, errorOf(403, 'DENIED', 'quota exceeded')),
      /quota exceeded/,
      /its storage is used up/,
    ],
    [
      'a full storage, as 412',
      but(isManifest, errorOf(412, 'PRECONDITION', 'adding 3 MB exceeds the storage quota')),
      /storage quota/,
      /its storage is used up/,
    ],
    [
      'a lock',
      but(isUpload, errorOf(405, 'UNSUPPORTED', 'The operation is disallowed on this registry, repository or image')),
      /disallowed/,
      /az acr repository update --name prodimages --repository team\/agent --write-enabled true/,
    ],
    ['too many requests', but(isUpload, { status: 429, headers: { 'retry-after': '7' } }), /answered 429/, /wait 7 s/],
    ['a manifest that it forgets', but(isManifest, { status: 201 }), /took sha256:.* and has it not/, /check that/],
  ])('%s', async (_, answer, problem, way) => {
    await using registry = await smallRegistry(answer);
    const pushed = await pushImage(target, image, runAt(registry.origin));
    const fault = pushed.ok ? undefined : pushed.fault;
    expect(fault?.message).toMatch(problem);
    expect(fault && pushFix(fault, target)).toMatch(way);
  });

  it('a login that Azure refuses, by the role that it needs', async () => {
    let at = '';
    await using registry = await smallRegistry(
      likeAzure(() => at, always(errorOf(403, 'DENIED', 'requested access to the resource is denied'))),
    );
    at = registry.origin;
    const pushed = await pushImage(target, image, runAt(at));
    const fault: Fault = pushed.ok ? { kind: 'transient', message: 'none' } : pushed.fault;
    expect(fault.kind).toBe('denied');
    expect(pushFix(fault, target)).toMatch(/ask for the role AcrPush at the registry .*--name prodimages/);
  });
});

describe('what to do about a fault', () => {
  const at = (registry: string) => ({ registry, repository: 'r/a', tag: '1' });
  it.each<[Fault, string, RegExp]>([
    [
      { kind: 'denied', code: 'NoToken', message: '' },
      'prodimages.azurecr.io',
      /^sign in with az login, or with az acr login --name prodimages$/,
    ],
    [
      { kind: 'denied', code: 'Forbidden', message: '' },
      'quay.io',
      /^log in as somebody who may push to r\/a: docker login quay\.io$/,
    ],
    [{ kind: 'conflict', code: 'TagTaken', message: '' }, 'quay.io', /^no tag is moved: take the tag 1 away there/],
    [{ kind: 'transient', message: 'x could not be asked: ENOTFOUND' }, 'quay.io', /^its name is not known here/],
    [{ kind: 'transient', message: 'x did not answer in time' }, 'quay.io', /^there is no way to it from here/],
    [
      { kind: 'transient', message: 'x: DEPTH_ZERO_SELF_SIGNED_CERT' },
      'quay.io',
      /REGISTRY_CERTIFICATE_AUTHORITY_FILE/,
    ],
    [
      { kind: 'rejected', code: 'InsecureRegistry', message: '' },
      'reg.local:5000',
      /REGISTRY_ENDPOINTS \(reg\.local:5000=http:/,
    ],
    [
      { kind: 'rejected', code: 'UNSUPPORTED', message: '' },
      'quay.io',
      /^it is read-only or locked: let it be written to/,
    ],
  ])('%o at %s', (fault, registry, way) => expect(pushFix(fault, at(registry))).toMatch(way));
});

describe('where an upload goes', () => {
  const ask = (location: string | undefined, mappedTo?: string) =>
    uploadPath(location, { registry: 'reg.example', mappedTo, digest: 'sha256:1' });
  it.each([
    ['/v2/a/uploads/1', '/v2/a/uploads/1?digest=sha256%3A1'],
    ['https://reg.example/v2/a/1?s=%2B', '/v2/a/1?s=%2B&digest=sha256%3A1'],
    ['http://reg.example/v2/a/1', '/v2/a/1?digest=sha256%3A1'],
  ])('%s is on its own host', (location, path) => expect(ask(location)).toEqual({ ok: true, value: path }));
  it('is on the host that stands for it', () => {
    expect(ask('http://127.0.0.1:5000/x', 'http://127.0.0.1:5000')).toMatchObject({ ok: true });
    expect(ask('http://127.0.0.1:5000/x')).toMatchObject({ ok: false, fault: { code: 'Elsewhere' } });
  });
  it.each([undefined, 'https://'])('%s is no place', (location) => {
    expect(ask(location)).toMatchObject({ ok: false, fault: { code: 'NoLocation' } });
  });
});
