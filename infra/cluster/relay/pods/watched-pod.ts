import * as z from 'zod';
import { readinessTargets } from '../readiness/targets.ts';
import type { ReadinessTarget } from '../readiness/targets.ts';
import { changeKey } from '../../../../shared/wire/relay-protocol/change-key.ts';
import { parsePodKey } from '../../../../shared/wire/relay-protocol/pod-events.ts';
import type { PodKey } from '../../../../shared/wire/relay-protocol/pod-events.ts';
import { measuredPod } from '../../../../shared/core/resource-metrics/measured-pod.ts';
import type { MeasuredPod } from '../../../../shared/core/resource-metrics/measured-pod.ts';
import { parsePod } from '../../../../shared/wire/pod.ts';

/** What is kept of a pod: its key, a hash of what the app would act on, and what of it is to be probed and measured. Never a spec. */
export interface WatchedPod {
  readonly key: PodKey;
  readonly hash: string;
  readonly targets: readonly ReadinessTarget[];
  /** Undefined: nothing of it runs. */
  readonly measured: MeasuredPod | undefined;
}

const schema = z.object({
  metadata: z.object({
    namespace: z.string().min(1),
    name: z.string().min(1),
    uid: z.string().min(1),
    resourceVersion: z.string().default(''),
    generation: z.number().default(0),
    deletionTimestamp: z.string().nullish(),
    deletionGracePeriodSeconds: z.number().nullish(),
  }),
  status: z
    .object({
      phase: z.string().default(''),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), reason: z.string().optional() }))
        .nullish()
        .transform((conditions) => conditions ?? []),
    })
    .prefault({}),
});

/** The key of a `v1.Pod` as JSON, or undefined when it is none. */
export function parseWatchedPod(json: unknown, node: string): WatchedPod | undefined {
  const parsed = schema.safeParse(json);
  if (!parsed.success) return undefined;
  const { metadata, status } = parsed.data;
  const { deletionTimestamp, deletionGracePeriodSeconds, ...rest } = metadata;
  const deletion = typeof deletionTimestamp === 'string' ? { deletionTimestamp } : {};
  const key = parsePodKey({ ...rest, node, ...deletion });
  // One that the app would refuse would take the other keys of its post with it.
  if (key === undefined) return undefined;
  const grace = { deletionGracePeriodSeconds: deletionGracePeriodSeconds ?? undefined };
  const pod = parsePod(json);
  return {
    key,
    hash: changeKey({ ...key, ...status, ...grace }),
    targets: readinessTargets(json),
    measured: pod && measuredPod(pod),
  };
}
