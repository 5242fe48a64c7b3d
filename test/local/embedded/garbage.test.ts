import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isJsonObject } from '../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../shared/core/json.ts';
import { nodeManifest, podManifest, testCluster } from './cluster.ts';

const manifests: Readonly<Record<string, JsonObject>> = {
  pods: podManifest('p', {
    nodeName: 'n',
    containers: [
      {
        name: 'main',
        image: 'i',
        env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        ports: [{ containerPort: 80 }],
        resources: { limits: { cpu: '1' } },
        livenessProbe: { httpGet: { port: 80 } },
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      },
    ],
    volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }],
    tolerations: [{ key: 'k', operator: 'Exists' }],
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{}] } } },
  }),
  nodes: nodeManifest('n', { spec: { taints: [{ key: 'k', effect: 'NoExecute' }] } }),
  leases: { metadata: { name: 'n' }, spec: { renewTime: '2026-11-23T12:00:00.000000Z' } },
  secrets: { metadata: { name: 's' }, stringData: { a: 'b' }, data: { c: 'ZA==' } },
  configmaps: { metadata: { name: 'c', ownerReferences: [{ kind: 'Node', uid: 'u' }] }, data: { a: 'b' } },
  services: { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } },
  namespaces: { metadata: { name: 'x' } },
  events: { metadata: { name: 'e' }, involvedObject: { name: 'p' }, lastTimestamp: '2026-11-23T12:00:00Z' },
  serviceaccounts: { metadata: { name: 'sa' } },
};

/** The value with something else in one place. */
function spoilt(value: Json, path: readonly number[], by: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return by;
  if (Array.isArray(value)) {
    const index = value.length === 0 ? 0 : step % value.length;
    return value.length === 0 ? by : value.with(index, spoilt(value[index] ?? null, rest, by));
  }
  if (!isJsonObject(value)) return by;
  const names = Object.keys(value);
  const name = names[step % Math.max(1, names.length)];
  return name === undefined ? by : { ...value, [name]: spoilt(value[name] ?? null, rest, by) };
}

const anything = fc.oneof(
  fc.constantFrom<Json>(null, '', 0, -1, 1e300, true, [], {}, [null], [[]], 'x', { $patch: 'delete' }, [
    { $patch: 'x' },
  ]),
  fc.jsonValue({ maxDepth: 2 }).map((value): Json => JSON.parse(JSON.stringify(value))),
);
const spoiling = fc.record({
  plural: fc.constantFrom(...Object.keys(manifests)),
  path: fc.array(fc.nat(9), { minLength: 1, maxLength: 8 }),
  by: anything,
});
const status: JsonObject = {
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True' }],
  podIP: '10.0.0.1',
  podIPs: [{ ip: '10.0.0.1' }],
  containerStatuses: [{ name: 'main', state: { terminated: { exitCode: 1 } } }],
};

it('whatever is sent is taken or refused, and the controllers live with it', () => {
  fc.assert(
    fc.property(fc.array(spoiling, { minLength: 1, maxLength: 6 }), (all) => {
      const world = testCluster();
      for (const [plural, manifest] of Object.entries(manifests)) world.create(plural, manifest);
      for (const { plural, path, by } of all) {
        const manifest = manifests[plural] ?? {};
        const body = spoilt(manifest, path, by);
        const { name } = manifest['metadata'] as { name: string };
        const object = isJsonObject(body) ? body : {};
        world.create(plural, {
          ...object,
          metadata: isJsonObject(object['metadata'])
            ? { ...object['metadata'], name: 'z' }
            : (object['metadata'] ?? null),
        });
        world.replace(plural, name, object);
        for (const type of ['strategic-merge-patch+json', 'merge-patch+json', 'apply-patch+yaml'])
          world.patch(plural, name, body, { type });
        for (const subresource of ['', 'status'])
          world.patch(plural, name, { status: spoilt(status, path, by) }, { subresource });
      }
      world.run(2);
      world.clock.now += 400_000;
      world.run(2);
      expect(world.cluster.pods.list().length).toBeLessThanOrEqual(2);
    }),
    { numRuns: 40 },
  );
});
