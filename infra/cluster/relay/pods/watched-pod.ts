import { createHash } from 'node:crypto';
import * as z from 'zod';
import { parsePodKey } from '../../../../shared/wire/pod-events.ts';
import type { PodKey } from '../../../../shared/wire/pod-events.ts';

/** What is kept of a pod: its key, and a hash of what the app would act on. Never a spec. */
export interface WatchedPod {
  readonly key: PodKey;
  readonly hash: string;
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
        .array(z.object({ type: z.string(), status: z.string() }))
        .nullish()
        .transform((conditions) => conditions ?? []),
    })
    .prefault({}),
});

/**
 * The key of a `v1.Pod` as JSON, or undefined when it is none. The hash leaves out times, messages and container
 * states: the app's own status patches come back as events, and most of them say nothing that it does not know.
 */
export function parseWatchedPod(json: unknown, node: string): WatchedPod | undefined {
  const parsed = schema.safeParse(json);
  if (!parsed.success) return undefined;
  const { metadata, status } = parsed.data;
  const { namespace, name, uid, resourceVersion, generation, deletionTimestamp } = metadata;
  const conditions = status.conditions.map((condition) => `${condition.type}=${condition.status}`).sort();
  const grace = metadata.deletionGracePeriodSeconds ?? '';
  const facts = [generation, deletionTimestamp ?? '', grace, status.phase, ...conditions];
  const key = parsePodKey({
    node,
    namespace,
    name,
    uid,
    resourceVersion,
    generation,
    ...(typeof deletionTimestamp === 'string' ? { deletionTimestamp } : {}),
  });
  // One that the app would refuse would take the other keys of its post with it.
  if (key === undefined) return undefined;
  return { key, hash: createHash('sha1').update(facts.join('\n')).digest('base64') };
}
