import * as z from 'zod';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { identity } from '../../../../shared/wire/kubernetes/meta.ts';

/** A `coordination.k8s.io/v1.Lease` as leader election reads it. Times are texts: nobody here compares foreign clocks. */
export interface ElectionRecord {
  readonly resourceVersion: string;
  /** Empty: nobody leads. */
  readonly holderIdentity: string;
  /** Of the holder's making; 0 in a Lease that nobody ever held. */
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly leaseTransitions: number;
}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const count = z
  .number()
  .int()
  .nullish()
  .transform((value) => value ?? 0);

const schema = z.object({
  kind: z.literal('Lease').optional(),
  metadata: identity,
  spec: z
    .object({
      holderIdentity: text,
      leaseDurationSeconds: count,
      acquireTime: text,
      renewTime: text,
      leaseTransitions: count,
    })
    .prefault({}),
});

/** Undefined when it is no Lease. One with an empty spec is one that nobody holds. */
export function parseElectionRecord(json: unknown): ElectionRecord | undefined {
  const parsed = schema.safeParse(json);
  if (!parsed.success) return undefined;
  return { resourceVersion: parsed.data.metadata.resourceVersion, ...parsed.data.spec };
}

/**
 * A patch that the API server refuses when the Lease is no longer the one that was read: labels and annotations, which
 * are the chart's, stay as they are.
 */
export function formatElectionPatch({ resourceVersion, ...spec }: ElectionRecord): JsonObject {
  return { metadata: { resourceVersion }, spec };
}
