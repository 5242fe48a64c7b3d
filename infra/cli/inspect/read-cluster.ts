import { parseNamespaceUid } from '../../../shared/wire/kubernetes/namespace.ts';
import * as z from 'zod';
import { ownerAnnotation } from '../../../shared/core/node/node-spec.ts';
import { parseLease } from '../../../shared/wire/kubernetes/lease.ts';
import { parseAnnotated, parseListPage } from '../../../shared/wire/kubernetes/meta.ts';
import { getObject, nodeLeasePath } from '../cluster/objects.ts';
import type { CliContext } from '../context.ts';
import { failure, wrongInput } from '../stop.ts';
import { parseNodeSeen, parsePodsSeen, parseVersion } from './cluster-objects.ts';

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

type Reading = Pick<CliContext, 'api'>;

const versionPattern = /^v\d+\.\d+\.\d+/;
const uidSchema = z.guid();

/** Who answers. A `Stop` when nobody does, or the user may not ask. */
export async function readClusterIdentity(context: Reading): Promise<ClusterIdentity> {
  const version = parseVersion(await getObject(context, '/version')) ?? '';
  if (!versionPattern.test(version))
    throw failure('the API server does not report its version', 'kubectl version shows what it says');
  const uid = uidSchema.safeParse(parseNamespaceUid(await getObject(context, '/api/v1/namespaces/kube-system')));
  if (!uid.success) throw wrongInput('the cluster shows no namespace kube-system', 'check --context');
  return { uid: uid.data, version };
}

/** One Node; undefined where there is none. */
export async function readNode(context: Reading, name: string): Promise<NodeFacts | undefined> {
  const answer = await getObject(context, `/api/v1/nodes/${name}`);
  if (answer === undefined) return undefined;
  const node = parseNodeSeen(answer, undefined);
  if (node === undefined) throw unreadable(`Node ${name}`);
  return { name, owner: node.owner, ready: node.ready === 'True', unschedulable: node.unschedulable };
}

/** Names of the Nodes whose annotation names this installation. */
export async function nodesOf(context: Reading, installation: string): Promise<readonly string[]> {
  const nodes = parseListPage(await getObject(context, '/api/v1/nodes'), 'NodeList', parseAnnotated);
  if (nodes === undefined) throw unreadable('list of Nodes');
  return nodes.items.filter(({ annotations }) => annotations[ownerAnnotation] === installation).map(({ name }) => name);
}

/** When a node's Lease was last renewed, in µs (0: never); undefined where there is none. */
export async function readLease(context: Reading, name: string): Promise<number | undefined> {
  const answer = await getObject(context, nodeLeasePath(name));
  if (answer === undefined) return undefined;
  const lease = parseLease(answer);
  if (lease === undefined) throw unreadable(`Lease ${name}`);
  return lease.renewTimeMicros;
}

/** Pods that are bound to a node, as `namespace/name`. */
export async function podsOnNode(context: Reading, node: string): Promise<readonly string[]> {
  const selector = encodeURIComponent(`spec.nodeName=${node}`);
  const pods = parsePodsSeen(await getObject(context, `/api/v1/pods?fieldSelector=${selector}`), undefined);
  if (pods === undefined) throw unreadable('list of pods');
  return pods.map(({ namespace, name }) => `${namespace}/${name}`);
}

const unreadable = (what: string) =>
  failure(`the API server's ${what} is not as Kubernetes writes it`, 'see whether a proxy is in between');
