import { describe, expect, it } from 'vitest';
import { parseAccessReview } from '../../../shared/wire/kubernetes/access-review.ts';
import { parseTokenReview } from '../../../shared/wire/kubernetes/token.ts';

describe('an answered review', () => {
  it.each([
    ['what is allowed', { kind: 'SubjectAccessReview', status: { allowed: true } }, true],
    ['what is not', { kind: 'SelfSubjectAccessReview', status: { allowed: false, reason: 'no' } }, false],
    ['what is not, as Go leaves it out', { kind: 'SubjectAccessReview', status: {} }, false],
    ['nothing: another kind', { kind: 'Status', status: { allowed: true } }, undefined],
    ['nothing: no status', { kind: 'SubjectAccessReview' }, undefined],
    ['nothing: no object', 'x', undefined],
  ])('of access says %s', (_, json, expected) => expect(parseAccessReview(json)).toBe(expected));

  it('of a token says whose it is', () => {
    const user = { username: 'u', uid: '1', groups: ['g'], extra: { k: ['v'] } };
    expect(parseTokenReview({ kind: 'TokenReview', status: { authenticated: true, audiences: ['a'], user } })).toEqual({
      authenticated: true,
      audiences: ['a'],
      ...user,
    });
    expect(parseTokenReview({ kind: 'TokenReview', status: {} })).toEqual({
      authenticated: false,
      audiences: [],
      username: '',
      uid: '',
      groups: [],
      extra: {},
    });
    expect(parseTokenReview({ kind: 'Status', status: {} })).toBeUndefined();
  });
});
