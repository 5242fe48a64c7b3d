import * as z from 'zod';
import type { JsonObject } from '../../core/json.ts';
import { leaseNamespace } from '../../core/kubernetes/node.ts';
import type { Lease } from '../../core/kubernetes/node.ts';
import { identity } from './meta.ts';
import { formatMicroTime, parseMicroTime } from './micro-time.ts';

const lease = z.object({
  kind: z.literal('Lease').optional(),
  metadata: identity.extend({
    ownerReferences: z.array(z.object({ kind: z.string(), name: z.string(), uid: z.string() })).default([]),
  }),
  spec: z
    .object({
      holderIdentity: z.string().default(''),
      leaseDurationSeconds: z.number().int().default(0),
      renewTime: z.string().nullish(),
    })
    .prefault({}),
});

/** `coordination.k8s.io/v1.Lease`; one that was never renewed has renewTimeMicros 0. Undefined when it lacks what the API promises. */
export function parseLease(json: unknown): Lease | undefined {
  const parsed = lease.safeParse(json);
  if (!parsed.success) return undefined;
  const { metadata, spec } = parsed.data;
  const renewTimeMicros = spec.renewTime ? parseMicroTime(spec.renewTime) : 0;
  if (renewTimeMicros === undefined) return undefined;
  const owner = metadata.ownerReferences.find((reference) => reference.kind === 'Node');
  return {
    resourceVersion: metadata.resourceVersion,
    name: metadata.name,
    ...(owner === undefined ? {} : { ownerUid: owner.uid }),
    holderIdentity: spec.holderIdentity,
    leaseDurationSeconds: spec.leaseDurationSeconds,
    renewTimeMicros,
  };
}

/** The Lease as it is POSTed or PUT. It belongs to its Node, so that the garbage collector removes it with that. */
export function formatLease(value: Lease): JsonObject {
  const owner =
    value.ownerUid === undefined
      ? {}
      : { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: value.name, uid: value.ownerUid }] };
  const version = value.resourceVersion === undefined ? {} : { resourceVersion: value.resourceVersion };
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: value.name, namespace: leaseNamespace, ...version, ...owner },
    spec: {
      holderIdentity: value.holderIdentity,
      leaseDurationSeconds: value.leaseDurationSeconds,
      renewTime: formatMicroTime(value.renewTimeMicros),
    },
  };
}
