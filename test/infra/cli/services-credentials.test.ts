import { describe, expect, it } from 'vitest';
import { planCredentials, podsHolding } from '../../../infra/cli/cluster/services-credentials.ts';
import type { CredentialsInput, CredentialSecret } from '../../../infra/cli/cluster/services-credentials.ts';
import { groupTags, tagNames } from '../../../shared/core/group/identity.ts';

const minute = 60_000;
const nowMs = 1000 * minute;
const secret = (name: CredentialSecret['name'], changes: Partial<CredentialSecret> = {}): CredentialSecret => ({
  name,
  uid: `uid of ${name}`,
  hasToken: true,
  createdMs: nowMs - 100 * minute,
  pods: [],
  ...changes,
});
const [a, b] = [secret('services-a'), secret('services-b')];
const held = { pods: ['shop/web-1'] };
/** Made a moment ago, and an hour after the other. */
const young = { createdMs: nowMs - minute };
const older = { createdMs: nowMs - 200 * minute };
const base: CredentialsInput = {
  isOn: true,
  registered: 'services-a',
  secrets: [a],
  isRotation: false,
  nowMs,
  keepsChart: false,
};
const quiet = { removed: [], renewed: undefined, refusal: undefined };

describe('the Secrets of the account services', () => {
  it.each<[string, Partial<CredentialsInput>, object]>([
    [
      'begin with the first',
      { registered: undefined, secrets: [] },
      { credential: 'services-a', kept: ['services-a'] },
    ],
    [
      'go on with one that is there',
      { registered: undefined, secrets: [b] },
      { credential: 'services-b', kept: ['services-b'] },
    ],
    ['stay', {}, { credential: 'services-a', kept: ['services-a'] }],
    ['stay, also when somebody deleted it', { secrets: [] }, { credential: 'services-a', kept: ['services-a'] }],
    [
      'are both kept while a group has the former token',
      { registered: 'services-b', secrets: [{ ...a, ...held }, b] },
      { credential: 'services-b', kept: ['services-a', 'services-b'] },
    ],
    [
      'are both kept while nobody knows',
      { registered: 'services-b', secrets: [{ ...a, pods: undefined }, b] },
      { credential: 'services-b', kept: ['services-a', 'services-b'] },
    ],
    [
      'are both kept for ten minutes, as a group may be on its way',
      { registered: 'services-b', secrets: [a, { ...b, ...young }] },
      { credential: 'services-b', kept: ['services-a', 'services-b'] },
    ],
    [
      'lose the former one when no group has it',
      { registered: 'services-b', secrets: [a, b] },
      { credential: 'services-b', kept: ['services-b'], removed: ['services-a'] },
    ],
    [
      'lose what a rotation that ended half-way has made',
      { secrets: [a, { ...b, ...young }] },
      { credential: 'services-a', kept: ['services-a'], removed: ['services-b'] },
    ],
    ['are none', { isOn: false, registered: undefined, secrets: [] }, { credential: undefined, kept: [] }],
    ['outlast the registration that names them', { isOn: false }, { credential: undefined, kept: ['services-a'] }],
    [
      'outlast it as long as a group has the token',
      { isOn: false, registered: undefined, secrets: [{ ...a, ...held }] },
      { credential: undefined, kept: ['services-a'] },
    ],
    ['go then', { isOn: false, registered: undefined }, { credential: undefined, kept: [], removed: ['services-a'] }],
  ])('%s', (_, changed, expected) =>
    expect(planCredentials({ ...base, ...changed })).toEqual({ ...quiet, ...expected }),
  );
});

describe('a rotation', () => {
  const rotate = (changed: Partial<CredentialsInput>) => planCredentials({ ...base, isRotation: true, ...changed });
  const both = ['services-a', 'services-b'];
  it.each<[string, Partial<CredentialsInput>, object]>([
    ['goes to the other', {}, { credential: 'services-b', kept: both }],
    ['and back', { registered: 'services-b', secrets: [b] }, { credential: 'services-a', kept: both }],
    [
      'of nothing is a beginning',
      { registered: undefined, secrets: [] },
      { credential: 'services-a', kept: ['services-a'] },
    ],
    ['goes on where it ended half-way', { secrets: [a, { ...b, ...young }] }, { credential: 'services-b', kept: both }],
    [
      'makes an old one anew',
      { secrets: [a, { ...b, ...older }] },
      { credential: 'services-b', kept: both, renewed: 'services-b' },
    ],
    [
      'makes the one in use anew where somebody deleted it, and never goes back to the former token',
      { registered: 'services-b', secrets: [a] },
      { credential: 'services-b', kept: both },
    ],
    [
      'of Services that were off makes what is not there',
      { registered: undefined, secrets: [a] },
      { credential: 'services-b', kept: both },
    ],
    [
      'of Services that were off makes one anew that nobody has',
      { registered: undefined, secrets: [a, { ...b, ...held }] },
      { credential: 'services-a', kept: both, renewed: 'services-a' },
    ],
    [
      'of Services that were off takes none for fresh',
      { registered: undefined, secrets: [{ ...a, ...older }, b] },
      { credential: 'services-b', kept: both, renewed: 'services-b' },
    ],
  ])('%s', (_, changed, expected) => expect(rotate(changed)).toEqual({ ...quiet, ...expected }));

  const pods = ['f', 'b', 'c', 'd', 'e', 'a', 'g'].map((name) => `shop/${name}`);
  it.each<[string, Partial<CredentialsInput>, RegExp]>([
    [
      'while a group has the former token',
      { secrets: [a, { ...b, ...held }] },
      /services-b, .* still in 1 container group, of the pod shop\/web-1$/,
    ],
    [
      'while seven have it',
      { secrets: [a, { ...b, pods }] },
      /7 container groups, of the pods shop\/a, shop\/b, shop\/c, shop\/d, shop\/e and 2 more$/,
    ],
    ['while nobody knows', { secrets: [a, { ...b, pods: undefined }] }, /container groups can not be listed/],
    [
      'right after another',
      {
        secrets: [
          { ...a, ...young },
          { ...b, ...older },
        ],
      },
      /less than ten minutes ago/,
    ],
    ['where GitOps has the old one', { secrets: [a, { ...b, ...older }], keepsChart: true }, /with its old token/],
  ])('is refused %s', (_, changed, problem) => {
    const { credential, removed, renewed, refusal } = rotate(changed);
    expect({ credential, removed, renewed }).toEqual({ credential: 'services-a', removed: [], renewed: undefined });
    expect(refusal?.problem).toMatch(problem);
    expect(refusal?.fix).not.toBe('');
  });
});

it('a group has the token of a Secret when its tag names that very one', () => {
  const home = { installation: 'sk', cluster: 'c' };
  const group = (name: string, tag: string, owner: Partial<typeof home> = {}) => ({
    tags: {
      ...groupTags({ ...home, ...owner, node: 'aci-1', namespace: 'shop', name, uid: name }, 'hash'),
      [tagNames.services]: tag,
    },
  });
  const groups = [
    group('this', 'services-a/1'),
    group('another-secret', 'services-b/1'),
    group('a-former-one', 'services-a/0'),
    group('another-cluster', 'services-a/1', { cluster: 'd' }),
    group('another-installation', 'services-a/1', { installation: 'other' }),
    { tags: { [tagNames.services]: 'services-a/1' } },
  ];
  expect(podsHolding(groups, home, { name: 'services-a', uid: '1' })).toEqual(['shop/this']);
});
