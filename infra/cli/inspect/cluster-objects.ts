import * as z from 'zod';
import { ownerAnnotation } from '../../../shared/core/node/node-spec.ts';
import { instantMs } from '../../../shared/core/status/time.ts';
import { parseLease } from '../../../shared/wire/kubernetes/lease.ts';
import { parseNode } from '../../../shared/wire/kubernetes/node.ts';
import type { NodeSeen } from './observed.ts';
import { defined } from '../../../shared/core/defined.ts';
import type { ServerAnswer } from './cluster-reader.ts';

/** A Node as far as `status` reports it; undefined when it is none. `serverMs` is the API server's time. */
export function parseNodeSeen(json: unknown, serverMs: number | undefined): NodeSeen | undefined {
  const node = parseNode(json);
  if (node === undefined) return undefined;
  const { metadata, unschedulable, status } = node;
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  const owner = metadata.annotations[ownerAnnotation];
  const writtenMs = instantMs(ready?.lastHeartbeatTime);
  const amount = (name: string): string => status.allocatable[name] ?? '0';
  return {
    ready: ready?.status ?? 'absent',
    reason: ready?.reason ?? '',
    unschedulable,
    ...defined({ owner }),
    version: status.nodeInfo['kubeletVersion'] ?? '',
    allocatable: { cpu: amount('cpu'), memory: amount('memory'), pods: amount('pods') },
    ...(writtenMs === undefined || serverMs === undefined ? {} : { statusAgeSeconds: ageSeconds(serverMs, writtenMs) }),
  };
}

/** Seconds since a Lease was renewed, by the API server's time; undefined when it is no Lease, or the time is unknown. */
export function leaseAge(json: unknown, serverMs: number | undefined): number | undefined {
  const lease = parseLease(json);
  if (lease === undefined || serverMs === undefined) return undefined;
  return ageSeconds(serverMs, lease.renewTimeMicros / 1000);
}

/** A Lease as far as its age goes. */
export function parseLeaseSeen({ json, serverMs }: ServerAnswer): { readonly ageSeconds: number } | undefined {
  const age = leaseAge(json, serverMs);
  return age === undefined ? undefined : { ageSeconds: age };
}

/** Header times are floored to whole seconds: what was written within that second is not in the future. */
export function ageSeconds(nowMs: number, thenMs: number): number {
  const seconds = (nowMs - thenMs) / 1000;
  return seconds < 0 && seconds > -1 ? 0 : Math.round(seconds);
}

const podListSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        namespace: z.string(),
        name: z.string(),
        uid: z.string(),
        creationTimestamp: z.string().nullish(),
      }),
      status: z.object({ phase: z.string().default('Unknown') }).prefault({}),
    }),
  ),
});

/** A pod as far as `status` reports it. */
export interface PodSeen {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly phase: string;
  readonly ageSeconds?: number;
}

/** A list of pods; undefined when it is none. */
export function parsePodsSeen(json: unknown, serverMs: number | undefined): readonly PodSeen[] | undefined {
  const parsed = podListSchema.safeParse(json);
  if (!parsed.success) return undefined;
  return parsed.data.items.map(({ metadata: { namespace, name, uid, creationTimestamp }, status: { phase } }) => {
    const createdMs = instantMs(creationTimestamp ?? undefined);
    const age =
      createdMs === undefined || serverMs === undefined ? {} : { ageSeconds: ageSeconds(serverMs, createdMs) };
    return { namespace, name, uid, phase, ...age };
  });
}

const resourceList = z.object({ resources: z.array(z.object({ name: z.string() })).default([]) });

/** Names of an `APIResourceList`. */
export const parseResources = (json: unknown): readonly string[] | undefined =>
  resourceList.safeParse(json).data?.resources.map(({ name }) => name);

const groupSchema = z.object({ versions: z.array(z.object({ version: z.string() })) });

/** Versions of an `APIGroup`. */
export const parseVersions = (json: unknown): readonly string[] | undefined =>
  groupSchema.safeParse(json).data?.versions.map(({ version }) => version);

const versionSchema = z.object({ gitVersion: z.string() });

export const parseVersion = (json: unknown): string | undefined => versionSchema.safeParse(json).data?.gitVersion;
