import * as z from 'zod';
import { parseTraceparent } from '../../core/telemetry/traceparent.ts';
import { mostPods, mostReadinessMessage } from './bounds.ts';
import { metricsQuery, mostMetricsQueries } from './group-metrics.ts';
import { dnsName, podUid } from './names.ts';

const validTraceparent = (value: unknown): string | undefined =>
  typeof value === 'string' && parseTraceparent(value) !== undefined ? value : undefined;

/** What a readiness probe of the relay found of one run of a container. */
const readiness = z.strictObject({
  container: dnsName(63),
  /** As the pod's status has it. */
  startedAt: z.string().max(64),
  ready: z.boolean(),
  /** Why the last probe failed. */
  message: z.string().max(mostReadinessMessage).exactOptional(),
});

const podKey = z.strictObject({
  node: dnsName(253),
  namespace: dnsName(63),
  name: dnsName(253),
  uid: podUid,
  /** Of the state that the relay reports; empty: the pod is gone. The app compares it with those that it has read or written, and no more. */
  resourceVersion: z.string().max(64),
  generation: z.int().min(0),
  deletionTimestamp: z.string().max(64).optional(),
  /** W3C Trace Context of the change that the relay saw. One that is no such thing counts as absent: a pod never waits for a trace. */
  traceparent: z.unknown().transform(validTraceparent).optional(),
  /** Only where a container has a readiness probe, and there is news of it. */
  readiness: z.array(readiness).max(60).optional(),
});

const schema = z.strictObject({
  /** A relay's life; a new one starts with each process. */
  epoch: z.string().min(1).max(128),
  seq: z.int().min(0),
  /** `wake`: of `attach`, not of the relay. */
  kind: z.enum(['delta', 'snapshot', 'tick', 'wake']),
  pods: z.array(podKey).max(mostPods),
  /** Of a tick, to an app that has answered such before: an older one refuses what it does not know. */
  metrics: z.array(metricsQuery).max(mostMetricsQueries).exactOptional(),
});

/** What the relay posts, and `attach` once in its name: keys, never specs or statuses (rule 16 of docs/architecture.md). */
export type PodEvents = z.infer<typeof schema>;
export type PodKey = z.infer<typeof podKey>;

/** Undefined: no key that `parsePodEvents` would take, and one in a body has the whole body refused. */
export const parsePodKey = (value: unknown): PodKey | undefined => podKey.safeParse(value).data;

export interface BodyFault {
  readonly field: string;
  readonly message: string;
}

/** The body of `POST /api/clusters/{cluster}/pod-events`, or the first ten faults, each with its field. */
export function parsePodEvents(
  text: string,
): { readonly ok: true; readonly value: PodEvents } | { readonly ok: false; readonly faults: readonly BodyFault[] } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { ok: false, faults: [{ field: '', message: 'the body is not JSON' }] };
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return { ok: true, value: parsed.data };
  return {
    ok: false,
    faults: parsed.error.issues.slice(0, 10).map((issue) => ({ field: issue.path.join('.'), message: issue.message })),
  };
}
