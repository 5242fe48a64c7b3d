import { describe, expect, it } from 'vitest';
import { planCredentials, planMarks, podsHolding } from '../../../infra/cli/cluster/services-credentials.ts';
import type { CredentialsInput, CredentialSecret } from '../../../infra/cli/cluster/services-credentials.ts';
import { groupTags, tagNames } from '../../../shared/core/group/identity.ts';

const minute = 60_000;
const nowMs = 1000 * minute;
const secret = (name: CredentialSecret['name'], changes: Partial<CredentialSecret> = {}): CredentialSecret => ({
  name,
  uid: `uid of ${name}`,
  hasToken: true,
  createdMs: nowMs - 100 * minute,
  formerMs: nowMs - 11 * minute,
  pods: [],
  ...changes,
});
const [a, b] = [secret('services-a'), secret('services-b')];
const held = { pods: ['shop/web-1'] };
const { formerMs: _a, ...unmarked } = a;
const { formerMs: _b, ...unmarkedB } = b;
/** Made a moment ago, and an hour after the other. */
const young = { createdMs: nowMs - minute };
/** The registration named it until a moment ago. */
const recent = { formerMs: nowMs - 9 * minute };
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
      { registered: 'services-b', secrets: [{ ...a, ...recent }, b] },
      { credential: 'services-b', kept: ['services-a', 'services-b'] },
    ],
    [
      'are both kept where nobody wrote since when the former one is none',
      { registered: 'services-b', secrets: [unmarked, b] },
      { credential: 'services-b', kept: ['services-a', 'services-b'] },
    ],
    [
      'stay for ten minutes after Services are off',
      { isOn: false, registered: undefined, secrets: [{ ...a, ...recent }] },
      { credential: undefined, kept: ['services-a'] },
    ],
    [
      'stay after Services are off until it is written since when',
      { isOn: false, registered: undefined, secrets: [unmarked] },
      { credential: undefined, kept: ['services-a'] },
    ],
    [
      'lose the former one when no group has it',
      { registered: 'services-b', secrets: [a, b] },
      { credential: 'services-b', kept: ['services-b'], removed: ['services-a'] },
    ],
    [
      'lose what a rotation that ended half-way has made',
      { secrets: [a, { ...b, createdMs: nowMs - minute }] },
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
    [
      'goes on where it ended half-way',
      { secrets: [a, { ...unmarkedB, ...young }] },
      { credential: 'services-b', kept: both },
    ],
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
      'makes a younger one anew that was in use',
      { secrets: [{ ...a, ...older }, b] },
      { credential: 'services-b', kept: both, renewed: 'services-b' },
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
          { ...b, ...older, ...recent },
        ],
      },
      /less than ten minutes ago/,
    ],
    [
      'of Services that were off, where a younger one may have been in use',
      { registered: undefined, secrets: [{ ...a, ...older }, unmarkedB] },
      /is written nowhere/,
    ],
    ['where nobody wrote when the last one was', { secrets: [a, { ...unmarkedB, ...older }] }, /is written nowhere/],
    ['where GitOps has the old one', { secrets: [a, { ...b, ...older }], keepsChart: true }, /with its old token/],
  ])('is refused %s', (_, changed, problem) => {
    const { credential, removed, renewed, refusal } = rotate(changed);
    expect({ credential, removed, renewed }).toEqual({ credential: 'services-a', removed: [], renewed: undefined });
    expect(refusal?.problem).toMatch(problem);
    expect(refusal?.fix).not.toBe('');
  });
});

it.each<[string, Parameters<typeof planMarks>, readonly string[]]>([
  ['one that is left', [planOf('services-b'), [unmarked, unmarkedB], 'services-a'], ['services-a former']],
  ['one that is left again', [planOf('services-b'), [a, unmarkedB], 'services-a'], ['services-a former']],
  ['one that was left before', [planOf('services-b'), [a, unmarkedB], 'services-b'], []],
  ['one that nobody wrote on', [planOf('services-b'), [unmarked, unmarkedB], 'services-b'], ['services-a former']],
  ['Services off', [planOf(undefined), [unmarked], 'services-a'], ['services-a former']],
  ['one that is in use again', [planOf('services-a'), [a], undefined], ['services-a in use']],
  [
    'one that is made anew',
    [{ ...planOf('services-b'), renewed: 'services-b' }, [unmarked, b], 'services-b'],
    ['services-a former'],
  ],
  ['one that goes', [{ ...planOf('services-b'), removed: ['services-a'] }, [a, unmarkedB], 'services-b'], []],
])('since when a Secret is a former one is written: %s', (_, input, marks) =>
  expect(
    planMarks(...input).map(({ secret: { name }, isFormer }) => `${name} ${isFormer ? 'former' : 'in use'}`),
  ).toEqual(marks),
);
function planOf(credential: CredentialSecret['name'] | undefined) {
  return { ...planCredentials({ ...base, secrets: [] }), credential };
}

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
