import * as z from 'zod';
import { ownerAnnotation } from '../../../shared/core/node/node-spec.ts';
import { leaseNamespace } from '../../../shared/wire/kubernetes/lease.ts';
import type { CliContext } from '../context.ts';
import { getObject } from './objects.ts';
import { failure, wrongInput } from '../stop.ts';

/** What the API server says of itself. */
export interface ClusterIdentity {
  /** UID of the kube-system namespace. */
  readonly uid: string;
  /** `v1.36.3`. */
  readonly version: string;
}

/** A Node as far as attaching needs it. */
export interface NodeFacts {
  readonly name: string;
  /** The installation that its annotation names. */
  readonly owner: string | undefined;
  readonly ready: boolean;
  readonly unschedulable: boolean;
}

const versionSchema = z.object({ gitVersion: z.string().regex(/^v\d+\.\d+\.\d+/) });
const namespaceSchema = z.object({ metadata: z.object({ uid: z.guid() }) });

/** Who answers. A `Stop` when nobody does, or the user may not ask. */
export async function readClusterIdentity(context: CliContext): Promise<ClusterIdentity> {
  const version = versionSchema.safeParse(await getObject(context, '/version'));
  if (!version.success) throw failure('the API server does not tell its version', 'kubectl version shows what it says');
  const found = namespaceSchema.safeParse(await getObject(context, '/api/v1/namespaces/kube-system'));
  if (!found.success) throw wrongInput('the cluster shows no namespace kube-system', 'check --context');
  return { uid: found.data.metadata.uid, version: version.data.gitVersion };
}

const nodeSchema = z.object({
  metadata: z.object({ name: z.string(), annotations: z.record(z.string(), z.string()).optional() }),
  spec: z.object({ unschedulable: z.boolean().default(false) }).optional(),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }).optional(),
});

/** One Node; undefined where there is none. */
export async function readNode(context: CliContext, name: string): Promise<NodeFacts | undefined> {
  const answer = await getObject(context, `/api/v1/nodes/${name}`);
  if (answer === undefined) return undefined;
  const { metadata, spec, status } = nodeSchema.parse(answer);
  return {
    name: metadata.name,
    owner: metadata.annotations?.[ownerAnnotation],
    ready: status?.conditions.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    unschedulable: spec?.unschedulable ?? false,
  };
}

const leaseSchema = z.object({ spec: z.object({ renewTime: z.string().optional() }).optional() });

/** A node's Lease: its renewTime as it stands; undefined where there is none. */
export async function readLease(context: CliContext, name: string): Promise<string | undefined> {
  const answer = await getObject(context, `/apis/coordination.k8s.io/v1/namespaces/${leaseNamespace}/leases/${name}`);
  return answer === undefined ? undefined : leaseSchema.parse(answer).spec?.renewTime;
}
