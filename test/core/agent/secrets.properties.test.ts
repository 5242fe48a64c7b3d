import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePod } from '../../../shared/wire/pod.ts';
import { ordersOf } from '../../fixtures/agent-orders.ts';
import { access, secret } from '../pod/fixtures.ts';
import { node, references, translate } from './fixtures.ts';

const planted = 'pl4nted-s3cret';

const known = references(
  {},
  {
    secrets: { s: secret({ K: planted, 'L.m': `two ${planted}` }) },
    tokens: [{ value: `token-${planted}`, lifetimeSeconds: 86_400 }],
    agent: { ...access, key: Buffer.from(`${planted} and its key`).toString('base64') },
  },
);

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const secretKeyRef = fc.record({ name: fc.constant('s'), key: fc.constantFrom('K', 'L.m') });
const text = fc.constantFrom('x', '$(S)', '$(S.t)$$', 'a/$(S)/$(IP)', '$(IP)', '$(NO)');
const words = fc.array(text, { minLength: 1, maxLength: 3 });
const env = fc
  .tuple(fc.record({ secretKeyRef }), fc.record({ secretKeyRef }), fc.array(text, { maxLength: 2 }))
  .map(([one, other, more]) => [
    { name: 'S', valueFrom: one },
    { name: 'S.t', valueFrom: other },
    { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    ...more.map((value, index) => ({ name: `M${index}`, value })),
  ]);

const container = (name: string) =>
  fc.record({
    name: fc.constant(name),
    image: fc.constant('busybox'),
    command: maybe(words),
    args: maybe(words),
    env: maybe(env),
    envFrom: maybe(fc.constant([{ secretRef: { name: 's' } }])),
    workingDir: maybe(fc.constantFrom('/w', '/$(S)')),
    lifecycle: maybe(words.map((command) => ({ preStop: { exec: { command } } }))),
    livenessProbe: maybe(words.map((command) => ({ exec: { command } }))),
    volumeMounts: maybe(
      fc.constantFrom(
        [{ name: 'keys', mountPath: '/k' }],
        [{ name: 'keys', mountPath: '/k', subPath: 'K' }],
        [{ name: 'all', mountPath: '/k', subPathExpr: '$(S)' }],
      ),
    ),
  });

const spec = fc.record({
  containers: fc.tuple(container('a'), container('b')),
  initContainers: maybe(fc.tuple(container('first'))),
  volumes: fc.constant([
    { name: 'keys', secret: { secretName: 's', defaultMode: 256 } },
    {
      name: 'all',
      projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { secret: { name: 's' } }] },
    },
  ]),
  hostAliases: maybe(fc.constant([{ ip: '10.0.0.1', hostnames: ['db'] }])),
});

/** All texts but those that ARM hides. */
const visible = (value: unknown): string =>
  JSON.stringify(value, (key, member: unknown) =>
    key === 'secureValue' || key === 'password' || key === 'secret' ? undefined : member,
  );

describe('what a pod takes from Secrets, and the key that signs its reports', () => {
  it('is nowhere but in secret volumes and secureValue, whatever the agent makes of it', () => {
    const seen = { groups: 0, inOrders: 0 };
    fc.assert(
      fc.property(spec, fc.constantFrom('auto' as const, 'always' as const, 'never' as const), (raw, mode) => {
        const json: unknown = JSON.parse(
          JSON.stringify({ metadata: { name: 'p', namespace: 'ns', uid: 'u' }, spec: raw }),
        );
        const pod = parsePod(json);
        if (pod === undefined) throw new Error('the pod was not parsed');
        const translation = translate(pod, known, { ...node, agent: { mode, image: node.agent?.image ?? '' } });
        const shown = visible(translation);
        expect(shown).not.toContain(planted);
        expect(shown).not.toContain(Buffer.from(planted).toString('base64').slice(0, 12));
        if (translation.kind !== 'group') return;
        seen.groups += 1;
        if ([...ordersOf(translation.body).values()].some((orders) => orders.includes(planted))) seen.inOrders += 1;
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.groups, seen.inOrders)).toBeGreaterThan(50);
  });
});
