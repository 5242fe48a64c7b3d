import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listReferences } from '../../../shared/core/pod/references.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import type { Translation } from '../../../shared/core/pod/translation.ts';
import { parsePod } from '../../../shared/wire/pod.ts';
import { configMap, facts, resolved, secret, subnetId } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const planted = 'pl4nted-s3cret';

const references = resolved({
  configMaps: { cm: configMap({ A: 'a', 'b.c': '$(S)' }) },
  secrets: {
    s: secret({ K: planted, L: `two ${planted}` }),
    pull: secret({ '.dockerconfigjson': JSON.stringify({ auths: { 'r.io': { username: 'u', password: planted } } }) }),
  },
  services: [{ name: 'db', namespace: 'ns', clusterIP: '10.0.0.9', ports: [{ port: 1, protocol: 'TCP' }] }],
  tokens: [`token-${planted}`, `token2-${planted}`].map((value) => ({ value, lifetimeSeconds: 600 })),
});

const text = fc.constantFrom('', 'x', '$(S)', '$(A)$(S)', '$$(S)', '$(DB_PORT)', 'a:b', 'a/b');
const name = fc.constantFrom('A', 'S', 'B_1', 'a.b', '');
const object = fc.constantFrom('cm', 's', 'pull', 'no', '');
const optional = fc.boolean();
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const ref = fc.record({ name: object, key: fc.constantFrom('K', 'L', 'A', 'no', 'constructor'), optional });

const variable = fc.record({
  name,
  value: maybe(text),
  valueFrom: maybe(
    fc.oneof(
      fc.record({ secretKeyRef: ref }),
      fc.record({ configMapKeyRef: ref }),
      fc.record({
        fieldRef: fc.record({
          fieldPath: fc.constantFrom('metadata.name', "metadata.labels['x']", 'status.podIP', 'nope'),
        }),
      }),
      fc.record({
        resourceFieldRef: fc.record({
          resource: fc.constantFrom('limits.cpu', 'requests.memory', 'x'),
          divisor: fc.constantFrom('0', '1m', '-1', 'x'),
        }),
      }),
    ),
  ),
});

const quantities = fc.dictionary(
  fc.constantFrom('cpu', 'memory', 'ephemeral-storage', 'x.y/z', '__proto__'),
  fc.constantFrom('0', '1', '100m', '1Gi', '-1', 'x', '40', '9'.repeat(40)),
  { maxKeys: 2 },
);

const container = fc.record({
  name: fc.constantFrom('a', 'b', 'a', 'B'),
  image: fc.constantFrom('r.io/x', 'nginx', ''),
  command: maybe(fc.array(text, { maxLength: 2 })),
  args: maybe(fc.array(text, { maxLength: 2 })),
  env: maybe(fc.array(variable, { maxLength: 4 })),
  envFrom: maybe(
    fc.array(
      fc.oneof(
        fc.record({ prefix: fc.constantFrom('', 'P_'), secretRef: fc.record({ name: object, optional }) }),
        fc.record({ configMapRef: fc.record({ name: object, optional }) }),
      ),
      { maxLength: 2 },
    ),
  ),
  ports: maybe(
    fc.array(
      fc.record({
        containerPort: fc.constantFrom(80, 443, 22, 0, -1),
        protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
      }),
      { maxLength: 2 },
    ),
  ),
  resources: maybe(fc.record({ requests: quantities, limits: quantities }, { requiredKeys: [] })),
  volumeMounts: maybe(
    fc.array(
      fc.record({ name: fc.constantFrom('v0', 'v1', 'v--1', 'nope'), mountPath: fc.constantFrom('/a', '/b', '/a:b') }),
      { maxLength: 2 },
    ),
  ),
});

const items = maybe(
  fc.array(fc.record({ key: fc.constantFrom('K', 'A', 'no'), path: fc.constantFrom('k', 'a/b', '..', '__proto__') }), {
    maxLength: 2,
  }),
);
const volumeSource = fc.oneof(
  fc.constant({ emptyDir: {} }),
  fc.constant({}),
  fc.record({ secret: fc.record({ secretName: object, optional, items }) }),
  fc.record({ configMap: fc.record({ name: object, optional, items }) }),
  fc.record({
    projected: fc.record({
      sources: fc.array(
        fc.oneof(
          fc.constant({ serviceAccountToken: { path: 'token' } }),
          fc.record({ secret: fc.record({ name: object, optional, items }) }),
          fc.constant({ other: {} }),
        ),
        { maxLength: 3 },
      ),
    }),
  }),
);
const volume = fc
  .tuple(fc.constantFrom('v0', 'v1', 'v--1'), volumeSource)
  .map(([volumeName, source]): Raw => ({ name: volumeName, ...source }));

const spec = fc.record({
  containers: fc.array(container, { minLength: 1, maxLength: 3 }),
  initContainers: maybe(fc.array(container, { maxLength: 2 })),
  volumes: maybe(fc.array(volume, { maxLength: 3 })),
  imagePullSecrets: maybe(fc.constant([{ name: 'pull' }, { name: 'no' }])),
  enableServiceLinks: maybe(optional),
});

const strip = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const podFrom = (raw: unknown) =>
  parsePod({ metadata: { name: 'p', namespace: 'ns', uid: 'u', labels: { x: 'y' } }, spec: strip(raw) });

const nodeFacts = fc.constantFrom(facts, { ...facts, subnetId }, { ...facts, securityPolicy: 'strict' as const });

/** All texts of a translation but those that ARM hides. */
function visible(translation: Translation): string {
  return JSON.stringify(translation, (key, value: unknown) =>
    key === 'secureValue' || key === 'password' || key === 'secret' ? undefined : value,
  );
}

const translations = (check: (translation: Translation, again: () => Translation) => void, numRuns: number) => {
  const seen = { group: 0, refused: 0, waiting: 0 };
  fc.assert(
    fc.property(spec, nodeFacts, (raw, node) => {
      const pod = podFrom(raw);
      if (pod === undefined) throw new Error('the generated pod was not parsed');
      listReferences(pod, node);
      const translation = translatePod(pod, node, references);
      seen[translation.kind] += 1;
      check(translation, () => translatePod(podFrom(raw) ?? pod, node, references));
    }),
    { numRuns },
  );
  return seen;
};

describe('whatever a pod looks like', () => {
  it('no secret is where it can be read', () => {
    const seen = translations((translation) => {
      expect(visible(translation)).not.toContain(planted);
      expect(visible(translation)).not.toContain(Buffer.from(planted).toString('base64').slice(0, 12));
    }, 1000);
    expect(Math.min(seen.group, seen.refused)).toBeGreaterThan(0);
  });

  it('the answer is the same each time', () => {
    translations((translation, again) => expect(JSON.stringify(again())).toBe(JSON.stringify(translation)), 300);
  });

  it('a group is one that ACI takes', () => {
    translations((translation) => {
      if (translation.kind !== 'group') return;
      const { body } = translation;
      const sum = (read: (requests: { cpu: number; memoryInGB: number }) => number) =>
        body.containers.reduce((total, { resources }) => total + read(resources.requests), 0);
      expect(sum(({ cpu }) => cpu)).toBeGreaterThan(0.999);
      expect(sum(({ memoryInGB }) => memoryInGB)).toBeGreaterThan(0.999);
      const volumes = body.volumes.map(({ name: volumeName }) => volumeName);
      for (const { volumeMounts, environmentVariables } of [...body.containers, ...body.initContainers]) {
        expect(volumeMounts.every((mount) => volumes.includes(mount.name))).toBe(true);
        const names = environmentVariables.map((one) => one.name);
        expect(new Set(names).size).toBe(names.length);
        expect(names.every((one) => /^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(one))).toBe(true);
      }
    }, 500);
  });

  it('any JSON as a further field is refused or harmless, never an exception', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('spec', 'container', 'security', 'volume'),
        fc.string(),
        fc.jsonValue({ maxDepth: 4 }),
        (place, key, value) => {
          const extra = { [key]: value };
          const raw = {
            ...(place === 'spec' && extra),
            containers: [
              {
                name: 'a',
                image: 'b',
                ...(place === 'container' && extra),
                securityContext: place === 'security' ? extra : {},
              },
            ],
            volumes: [{ name: 'v0', ...(place === 'volume' && extra) }],
          };
          const pod = podFrom(raw);
          const kind = pod === undefined ? 'refused' : translatePod(pod, facts, references).kind;
          expect(['group', 'refused', 'waiting']).toContain(kind);
        },
      ),
      { numRuns: 500 },
    );
  });
});
