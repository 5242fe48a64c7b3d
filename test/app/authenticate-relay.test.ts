import { describe, expect, it } from 'vitest';
import { authenticateRelay } from '../../shared/app/authenticate-relay.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const { signal } = new AbortController();
const relay = 'system:serviceaccount:kube-system:relay';
let tokens = 0;

/** A token as a cluster issues it: what it says of itself is not believed, but read first. */
function tokenOf(world: World, claims: { readonly audience?: unknown; readonly lifeMs?: number } = {}): string {
  const payload = {
    exp: (world.now + (claims.lifeMs ?? 3_600_000)) / 1000,
    aud: claims.audience ?? ['serverless-kubelet'],
    jti: (tokens += 1),
  };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part(payload)}.c2lnbmF0dXJl`;
}

const ask = async (world: World, authorization: string | undefined): Promise<string> =>
  (await authenticateRelay(world.clusterDeps(), authorization, world.now, signal)).kind;

const known = (world: World, username = relay, audiences = ['serverless-kubelet']): string => {
  const token = tokenOf(world);
  world.cluster.putToken(token, { username, groups: [], audiences });
  return `Bearer ${token}`;
};

describe('who calls', () => {
  it.each([
    { it: 'nobody says so', header: () => undefined },
    { it: 'an empty header', header: () => '' },
    { it: 'another scheme', header: () => 'Basic dXNlcjpwYXNz' },
    { it: 'a word that is no token', header: () => 'Bearer abc' },
    { it: 'a token that is no JSON', header: () => 'Bearer a.b.c' },
    {
      it: 'a token for another audience',
      header: (world: World) => `Bearer ${tokenOf(world, { audience: ['other'] })}`,
    },
    { it: 'a token without an audience', header: (world: World) => `Bearer ${tokenOf(world, { audience: 7 })}` },
    { it: 'a token that has expired', header: (world: World) => `Bearer ${tokenOf(world, { lifeMs: -1_000 })}` },
  ])('$it: 401, and the cluster is not asked', async ({ header }) => {
    const world = await createWorld();
    expect(
      await world.count('cluster.', async () => expect(await ask(world, header(world))).toBe('unauthenticated')),
    ).toBe(0);
  });

  it.each([
    { it: 'the relay’s account', header: (world: World) => known(world), kind: 'relay' },
    {
      it: 'an audience that is one word',
      header: (world: World) => {
        const token = tokenOf(world, { audience: 'serverless-kubelet' });
        world.cluster.putToken(token, { username: relay, groups: [], audiences: ['serverless-kubelet'] });
        return `Bearer ${token}`;
      },
      kind: 'relay',
    },
    {
      it: 'a token that the cluster does not know',
      header: (world: World) => `Bearer ${tokenOf(world)}`,
      kind: 'unauthenticated',
    },
    {
      it: 'a token that the cluster knows for another audience',
      header: (world: World) => known(world, relay, ['other']),
      kind: 'unauthenticated',
    },
    {
      it: 'another account',
      header: (world: World) => known(world, 'system:serviceaccount:default:default'),
      kind: 'forbidden',
    },
    {
      it: 'a user of the relay’s name',
      header: (world: World) => known(world, 'kube-system:relay'),
      kind: 'forbidden',
    },
  ])('$it: $kind, after one review, and remembered', async ({ header, kind }) => {
    const world = await createWorld();
    const authorization = header(world);
    const reviews = await world.count('cluster.reviewToken', async () => {
      expect(await ask(world, authorization)).toBe(kind);
      world.now += 20_000;
      expect(await ask(world, authorization)).toBe(kind);
    });
    expect(reviews).toBe(1);
  });

  it('a cluster that can’t be asked: 503, and not remembered', async () => {
    const world = await createWorld();
    const authorization = known(world);
    world.cluster.inject({ method: 'reviewToken', moment: 'before', fault: { kind: 'transient', message: 'away' } });
    expect([await ask(world, authorization), await ask(world, authorization)]).toEqual(['unavailable', 'relay']);
  });

  it('is asked again after two minutes, and after half a minute when refused', async () => {
    const world = await createWorld();
    const [good, bad] = [known(world), `Bearer ${tokenOf(world)}`];
    const both = async (): Promise<void> => void [await ask(world, good), await ask(world, bad)];
    expect(await world.count('cluster.reviewToken', both)).toBe(2);
    world.now += 31_000;
    expect(await world.count('cluster.reviewToken', both)).toBe(1);
    world.now += 90_000;
    expect(await world.count('cluster.reviewToken', both)).toBe(2);
  });

  it('is never remembered past the token’s own end', async () => {
    const world = await createWorld();
    const token = tokenOf(world, { lifeMs: 10_000 });
    world.cluster.putToken(token, { username: relay, groups: [], audiences: ['serverless-kubelet'] });
    expect(await ask(world, `Bearer ${token}`)).toBe('relay');
    world.now += 10_001;
    expect(await ask(world, `Bearer ${token}`)).toBe('unauthenticated');
  });
});
