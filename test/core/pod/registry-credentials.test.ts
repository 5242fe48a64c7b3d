import { describe, expect, it } from 'vitest';
import { imageLocation } from '../../../shared/core/pod/image-reference.ts';
import { registryCredentials } from '../../../shared/core/pod/registry-credentials.ts';
import type { PullIdentities } from '../../../shared/core/pod/registry-credentials.ts';
import { podOf, rawContainer, resolved, secret } from './fixtures.ts';

const auth = (text: string): string => Buffer.from(text).toString('base64');

const modern = (auths: Record<string, unknown>) =>
  secret({ '.dockerconfigjson': JSON.stringify({ auths }) }, 'kubernetes.io/dockerconfigjson');
const legacy = (servers: Record<string, unknown>) =>
  secret({ '.dockercfg': JSON.stringify(servers) }, 'kubernetes.io/dockercfg');

const credentialsFor = (
  images: string[],
  secrets: Record<string, ReturnType<typeof secret>>,
  names = Object.keys(secrets),
  identities: PullIdentities = { installed: {}, own: [] },
) =>
  registryCredentials(
    podOf({
      imagePullSecrets: names.map((name) => ({ name })),
      containers: images.map((image, index) => rawContainer({ name: `c${index}`, image })),
    }),
    resolved({ secrets }),
    identities,
  );

const login = { username: 'u', password: 'p' };

describe('an image comes from', () => {
  it.each([
    ['nginx', 'index.docker.io', 'library/nginx'],
    ['nginx:1.29', 'index.docker.io', 'library/nginx'],
    ['team/app', 'index.docker.io', 'team/app'],
    ['docker.io/library/nginx', 'index.docker.io', 'library/nginx'],
    ['shop.azurecr.io/team/app:1@sha256:abc', 'shop.azurecr.io', 'team/app'],
    ['localhost/app', 'localhost', 'app'],
    ['localhost:5000/app:2', 'localhost:5000', 'app'],
    ['registry.k8s.io/pause:3.10', 'registry.k8s.io', 'pause'],
  ])('%s: %s', (image, host, path) => {
    expect(imageLocation(image)).toEqual({ host, path });
  });
});

describe('credentials', () => {
  it.each<[string, string, string, string]>([
    ['for the very host', 'shop.azurecr.io/app', 'shop.azurecr.io', 'shop.azurecr.io'],
    ['with a scheme', 'shop.azurecr.io/app', 'https://shop.azurecr.io/', 'shop.azurecr.io'],
    ['as docker login writes Docker Hub', 'nginx', 'https://index.docker.io/v1/', 'index.docker.io'],
    ['by another name of Docker Hub', 'team/app', 'docker.io', 'index.docker.io'],
    ['with a star in the host', 'shop.azurecr.io/app', '*.azurecr.io', 'shop.azurecr.io'],
    ['for a path of the registry', 'ghcr.io/team/app', 'ghcr.io/team', 'ghcr.io'],
  ])('are found %s', (_, image, server, sent) => {
    expect(credentialsFor([image], { pull: modern({ [server]: login }) }).credentials).toEqual([
      { server: sent, ...login },
    ]);
  });

  it.each([
    ['another host', 'shop.azurecr.io/app', 'other.azurecr.io'],
    ['another path', 'ghcr.io/teams/app', 'ghcr.io/team'],
    ['a star over several labels', 'a.b.azurecr.io/app', '*.azurecr.io'],
  ])('are not sent for %s', (_, image, server) => {
    expect(credentialsFor([image], { pull: modern({ [server]: login }) })).toEqual({
      credentials: [],
      identities: [],
      notices: [],
    });
  });

  it.each<[string, ReturnType<typeof secret>, string]>([
    ['auth alone', modern({ 'r.io': { auth: auth('u:p') } }), 'p'],
    ['auth before the rest', modern({ 'r.io': { auth: auth('u:x'), username: 'u', password: 'p' } }), 'x'],
    ['a colon in the password', modern({ 'r.io': { auth: auth('u:p:q') } }), 'p:q'],
    ['the legacy file', legacy({ 'r.io': { auth: auth('u:p') } }), 'p'],
  ])('are read from %s', (_, pull, password) => {
    expect(credentialsFor(['r.io/app'], { pull }).credentials).toEqual([{ server: 'r.io', username: 'u', password }]);
  });

  it('are one a server: the most specific', () => {
    const pull = modern({
      'r.io': { auth: auth('all:1') },
      'r.io/team': { auth: auth('team:2') },
      'q.io': { auth: auth('q:3') },
    });
    expect(credentialsFor(['r.io/team/a', 'r.io/other', 'q.io/b'], { pull }).credentials).toEqual([
      { server: 'q.io', username: 'q', password: '3' },
      { server: 'r.io', username: 'team', password: '2' },
    ]);
  });

  it.each<[string, Record<string, ReturnType<typeof secret>>]>([
    ['is missing', {}],
    ['is no JSON', { pull: secret({ '.dockerconfigjson': '{' }) }],
    ['has no servers', { pull: secret({ '.dockerconfigjson': '[]' }) }],
    ['is of another kind', { pull: secret({ user: 'x' }) }],
  ])('are tried without when the secret %s, and that is reported', (_, secrets) => {
    const { credentials, notices } = credentialsFor(['nginx'], secrets, ['pull']);
    expect(credentials).toEqual([]);
    expect(notices).toMatchObject([{ type: 'Warning', reason: 'FailedToRetrieveImagePullSecret' }]);
    expect(notices[0]?.message).toContain('pull');
  });
});

describe('an image of a registry of Azure is pulled', () => {
  const identityId = (name: string): string =>
    `/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
  const image = 'bakery.azurecr.io/app:1';
  const ofBakery = (identity: string) => [{ server: 'bakery.azurecr.io', identity: identityId(identity) }];

  it.each([
    [
      'by the identity of the installation',
      { images: [image], installed: ['bakery.azurecr.io'], own: [] },
      ofBakery('installed'),
    ],
    [
      'by that of the installation before one of its own',
      { images: [image], installed: ['bakery.azurecr.io'], own: ['mine'] },
      ofBakery('installed'),
    ],
    [
      'by its first own identity where the installation has none',
      { images: [image, 'bakery.azurecr.io/b'], installed: ['other.azurecr.io'], own: ['mine', 'second'] },
      ofBakery('mine'),
    ],
    ['by nobody where there is no identity', { images: [image], installed: [], own: [] }, []],
    [
      'and no other registry ever gets an identity',
      {
        images: ['nginx', 'ghcr.io/a/b', 'bakery.azurecr.io.example.com/a'],
        installed: ['bakery.azurecr.io'],
        own: ['mine'],
      },
      [],
    ],
  ])('%s', (_, { images, installed, own }, expected) => {
    const identities = {
      installed: Object.fromEntries(installed.map((server) => [server, identityId('installed')])),
      own: own.map(identityId),
    };
    const { credentials, identities: used } = credentialsFor(images, {}, [], identities);
    expect(credentials).toEqual(expected);
    expect(used).toEqual(expected.map(({ identity }) => identity));
  });

  it('by the login of a pull secret that is for it, though there is an identity', () => {
    const secrets = { pull: modern({ 'bakery.azurecr.io': { auth: auth('u:p') } }) };
    const identities = { installed: { 'bakery.azurecr.io': identityId('installed') }, own: [identityId('mine')] };
    expect(credentialsFor([image], secrets, ['pull'], identities)).toMatchObject({
      credentials: [{ server: 'bakery.azurecr.io', ...login }],
      identities: [],
    });
  });
});
