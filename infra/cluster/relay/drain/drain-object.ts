import * as z from 'zod';
import { ownerAnnotation } from '../../../../shared/core/node/node-spec.ts';
import type { KubeNode } from '../../../../shared/core/kubernetes/node.ts';
import { parseNode } from '../../../../shared/wire/kubernetes/node.ts';

/** A Node, as far as it is drained. */
export interface DrainNode {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The installation that made it; undefined: none of ours did. */
  readonly owner: string | undefined;
  readonly isUnschedulable: boolean;
  /** As the API server sent them: a patch replaces them all. */
  readonly taints: KubeNode['taints'];
}

/** A pod that is bound to one of the nodes. */
export interface DrainPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly isTerminating: boolean;
  /** The DaemonSet that made it, and makes another when it goes. */
  readonly daemonSet: { readonly name: string; readonly uid: string } | undefined;
}

const owner = z.object({ kind: z.string(), name: z.string(), uid: z.string(), controller: z.boolean().nullish() });

const pod = z.object({
  metadata: z.object({
    namespace: z.string().min(1),
    name: z.string().min(1),
    uid: z.string().min(1),
    deletionTimestamp: z.string().nullish(),
    ownerReferences: z.array(owner).nullish(),
  }),
});

/** Undefined when it is no Node. */
export function parseDrainNode(json: unknown): DrainNode | undefined {
  const node = parseNode(json);
  if (node === undefined) return undefined;
  const { name, uid, resourceVersion, annotations } = node.metadata;
  const { unschedulable: isUnschedulable, taints } = node;
  return { name, uid, resourceVersion, owner: annotations[ownerAnnotation], isUnschedulable, taints };
}

/** Undefined when it is no Pod. */
export function parseDrainPod(json: unknown): DrainPod | undefined {
  const parsed = pod.safeParse(json);
  if (!parsed.success) return undefined;
  const { namespace, name, uid, deletionTimestamp, ownerReferences } = parsed.data.metadata;
  const daemonSet = ownerReferences?.find((one) => one.kind === 'DaemonSet' && one.controller === true);
  return {
    namespace,
    name,
    uid,
    isTerminating: typeof deletionTimestamp === 'string',
    daemonSet: daemonSet === undefined ? undefined : { name: daemonSet.name, uid: daemonSet.uid },
  };
}
