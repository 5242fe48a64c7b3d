import { describe, expect, it } from 'vitest';
import { answerReview } from '../../../infra/local/sim/api-server/reviews.ts';
import { tokenReviews } from '../../../infra/local/sim/api-server/resources.ts';
import { requestToken } from '../../../infra/local/sim/api-server/tokens.ts';
import { nodeUser, userOf } from '../../../infra/local/sim/api-server/user.ts';
import type { User } from '../../../infra/local/sim/api-server/user.ts';
import { readTokenClaims, readTokenLifetime } from '../../../shared/wire/token-claims.ts';
import { messageOf, noon, podManifest, testCluster, messageOrOk, seen, valueOf } from './cluster.ts';
import type { Seen } from './cluster.ts';
import { defined } from '../../../shared/core/defined.ts';

const admin = userOf('admin', ['system:masters']);
const audience = 'api://app';

function withPod(options: Parameters<typeof testCluster>[0] = {}) {
  const world = testCluster(options);
  const token = { serviceAccountToken: { audience, path: 't' } };
  const volumes = [{ name: 'v', projected: { sources: [token] } }];
  const pod = seen(world.create('pods', podManifest('p', { nodeName: 'n', volumes })));
  const bound = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: pod.metadata.uid };
  const request = (spec: object, user: User = admin) =>
    requestToken(world.state(), { user, namespace: 'default', name: 'default' }, JSON.parse(JSON.stringify({ spec })));
  const tokenOf = (spec: object): string => {
    const made = seen(request(spec));
    return made.status.token;
  };
  const review = (token: string, audiences?: readonly string[]): Seen['status'] => {
    const call = { user: admin, resource: tokenReviews, known: () => undefined };
    const spec = { token, ...defined({ audiences }) };
    const answer = seen(answerReview(world.state(), call, { spec }));
    return answer.status;
  };
  return { ...world, bound, request, tokenOf, review };
}

describe('a ServiceAccount’s token', () => {
  it('is a JWT for its audience and its time', () => {
    const world = withPod();
    const claims = readTokenClaims(world.tokenOf({ audiences: [audience], expirationSeconds: 900 }));
    expect(claims).toEqual({ expiresAtMs: noon + 900_000, audiences: [audience] });
  });

  it('is extended to a year for a pod that asks for exactly 3607 s of the API server, which the status does not say', () => {
    const world = withPod();
    const { bound } = world;
    const lifetime = (spec: object): number | undefined => readTokenLifetime(world.tokenOf(spec));
    expect(lifetime({ boundObjectRef: bound, expirationSeconds: 3607 })).toBe(31_536_000);
    expect(lifetime({ boundObjectRef: bound, expirationSeconds: 3606 })).toBe(3606);
    expect(lifetime({ boundObjectRef: bound, expirationSeconds: 3607, audiences: [audience] })).toBe(3607);
    expect(lifetime({ expirationSeconds: 3607 })).toBe(3607);
    const { status } = seen(world.request({ boundObjectRef: bound, expirationSeconds: 3607 }));
    expect(status).toMatchObject({ expirationTimestamp: '2026-11-23T13:00:07Z' });
  });

  it('is capped, and not extended, where the API server’s flags say so', () => {
    const world = withPod({ tokenTerms: { extend: false, longestSeconds: 86_400 } });
    const { bound } = world;
    const lifetime = (spec: object): number | undefined => readTokenLifetime(world.tokenOf(spec));
    expect(lifetime({ boundObjectRef: bound, expirationSeconds: 3607 })).toBe(3607);
    expect(lifetime({ boundObjectRef: bound, expirationSeconds: 1e6 })).toBe(86_400);
  });

  it('is known for its audience alone', () => {
    const world = withPod();
    const token = world.tokenOf({ audiences: [audience], boundObjectRef: world.bound });
    expect(world.review(token, [audience, 'other'])).toMatchObject({
      authenticated: true,
      audiences: [audience],
      user: {
        username: 'system:serviceaccount:default:default',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
        extra: { 'authentication.kubernetes.io/pod-name': ['p'] },
      },
    });
    expect(world.review(token, ['other']).authenticated).toBeUndefined();
    expect(world.review(token).authenticated).toBeUndefined();
    expect(world.review(world.tokenOf({})).authenticated).toBe(true);
  });

  it('ends with its time, its pod, or its account', () => {
    const world = withPod();
    const plain = world.tokenOf({ expirationSeconds: 600 });
    const bound = world.tokenOf({ boundObjectRef: world.bound });
    valueOf(world.delete('pods', 'p', { gracePeriodSeconds: 10 }));
    world.clock.now += 69_000;
    expect(world.review(bound).authenticated).toBe(true);
    world.clock.now += 2_000;
    expect(world.review(bound).authenticated).toBeUndefined();
    expect(world.review(plain).authenticated).toBe(true);
    world.clock.now += 600_000;
    expect(world.review(plain).authenticated).toBeUndefined();
    const fresh = world.tokenOf({});
    valueOf(world.delete('serviceaccounts', 'default'));
    world.run(1);
    expect(world.review(fresh).authenticated).toBeUndefined();
  });

  it('that was changed in any place is nobody’s', () => {
    const world = withPod();
    const [head, payload, signature] = world.tokenOf({}).split('.');
    const other = Buffer.from(JSON.stringify({ sub: 'x', exp: 9e9, aud: ['a'] })).toString('base64url');
    for (const token of [
      `${head}.${other}.${signature}`,
      `${head}.${payload}.`,
      `${head}.${payload}`,
      '',
      'a.b.c',
      '...',
    ])
      expect(world.review(token)).toMatchObject({ user: {}, error: expect.stringContaining('invalid bearer token') });
  });

  it.each([
    ['too short', { expirationSeconds: 599 }, '422 Invalid'],
    ['of another pod', { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'q', uid: 'u' } }, '404 NotFound'],
    ['of another UID', { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'u' } }, '409 Conflict'],
  ])('%s is refused', (_, spec, reported) => {
    expect(messageOrOk(withPod().request(spec))).toBe(reported);
  });
});

describe('a node', () => {
  it.each([
    ['bound to nothing', () => ({ audiences: [audience] }), 'node requested token not bound to a pod'],
    [
      'for an audience that the pod does not name',
      (boundObjectRef: object) => ({ boundObjectRef, audiences: ['x'] }),
      'audience "x" not found in pod spec volume',
    ],
    ['for the audience of a volume', (boundObjectRef: object) => ({ boundObjectRef, audiences: [audience] }), ''],
    ['for the API server', (boundObjectRef: object) => ({ boundObjectRef }), ''],
  ])('gets a token %s: %#', (_, spec, message) => {
    const world = withPod();
    expect(messageOf(world.request(spec(world.bound), nodeUser('n')))).toBe(
      message === '' ? '' : `serviceaccounts "default" is forbidden: ${message}`,
    );
  });

  it('gets none for a pod of another node', () => {
    const world = withPod();
    const refused = world.request({ boundObjectRef: world.bound, audiences: [audience] }, nodeUser('m'));
    expect(messageOf(refused)).toContain('scheduled on a different node');
  });
});
