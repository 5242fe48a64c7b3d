import * as z from 'zod';
import type { KubeNode } from '../../core/kubernetes/node.ts';
import { conditionStatus, identity, stringMap } from './meta.ts';

const quantities = z
  .record(z.string(), z.union([z.string(), z.number().transform(String)]))
  .nullish()
  .transform((map) => map ?? {});

const taint = z.object({
  key: z.string(),
  value: z.string().exactOptional(),
  effect: z.string(),
  timeAdded: z.string().exactOptional(),
});

const condition = z.object({
  type: z.string(),
  status: conditionStatus,
  reason: z.string().default(''),
  message: z.string().default(''),
  lastHeartbeatTime: z
    .string()
    .nullish()
    .transform((time) => time ?? ''),
  lastTransitionTime: z
    .string()
    .nullish()
    .transform((time) => time ?? ''),
});

const status = z.object({
  capacity: quantities,
  allocatable: quantities,
  conditions: z.array(condition).default([]),
  addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
  // Port 0 is left out by Go, and so is everything around it.
  daemonEndpoints: z.object({ kubeletEndpoint: z.object({ Port: z.number().int() }).optional() }).optional(),
  nodeInfo: z.record(z.string(), z.unknown()).default({}),
  declaredFeatures: z.array(z.string()).default([]),
});

const node = z.object({
  kind: z.literal('Node').optional(),
  metadata: identity.extend({
    labels: stringMap,
    annotations: stringMap,
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({ unschedulable: z.boolean().default(false), taints: z.array(taint).default([]) }),
  status,
});

/** `v1.Node`; undefined when it lacks what the API promises. */
export function parseNode(json: unknown): KubeNode | undefined {
  const parsed = node.safeParse(json);
  if (!parsed.success) return undefined;
  const { metadata, spec, status } = parsed.data;
  const { deletionTimestamp, ...meta } = metadata;
  return {
    metadata: deletionTimestamp === undefined ? meta : { ...meta, deletionTimestamp },
    unschedulable: spec.unschedulable,
    taints: spec.taints,
    status: {
      capacity: status.capacity,
      allocatable: status.allocatable,
      conditions: status.conditions,
      addresses: status.addresses,
      kubeletPort: status.daemonEndpoints?.kubeletEndpoint?.Port ?? 0,
      nodeInfo: stringsOf(status.nodeInfo),
      declaredFeatures: status.declaredFeatures,
    },
  };
}

/** `nodeInfo` is flat but for newer members (`swap`), which nobody here reads. */
function stringsOf(record: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  );
}
