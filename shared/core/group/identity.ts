import { createHash } from 'node:crypto';

/** Who owns a group. The UID is the identity; names are for people (rule 1 of docs/architecture.md). */
export interface GroupOwner {
  /** The function app's name for itself; two apps may share a resource group. */
  readonly installation: string;
  /** UID of the cluster's kube-system namespace. */
  readonly cluster: string;
  readonly node: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export const tagNames = {
  installation: 'serverless-kubelet-installation',
  cluster: 'kubernetes-cluster',
  node: 'kubernetes-node',
  namespace: 'kubernetes-namespace',
  name: 'kubernetes-pod',
  uid: 'kubernetes-pod-uid',
  specHash: 'serverless-kubelet-spec-hash',
  /** Of groups that hold a credential of the cluster: which one (`servicesTag`). */
  services: 'serverless-kubelet-services',
  /** Of groups with the agent: which, and which key its agents have (`agentTags`). */
  agent: 'serverless-kubelet-agent',
  agentKey: 'serverless-kubelet-agent-key',
} as const;

const maxNameLength = 63;
const hashLength = 20;

/** `<namespace>-<pod>` cut to fit, then a hash of (installation, UID): ≤ 63 of `[a-z0-9-]`, first a letter or digit, never `--`. */
export function groupName(owner: Pick<GroupOwner, 'installation' | 'namespace' | 'name' | 'uid'>): string {
  const hash = createHash('sha256').update(`${owner.installation}\n${owner.uid}`).digest('hex').slice(0, hashLength);
  const readable = `${owner.namespace}-${owner.name}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, maxNameLength - hashLength - 1)
    .replace(/^-+|-+$/g, '');
  return readable === '' ? hash : `${readable}-${hash}`;
}

/** ARM allows 256 characters a value; a pod's name has at most 253. */
export function groupTags(owner: GroupOwner, specHash: string): Record<string, string> {
  return {
    [tagNames.installation]: owner.installation,
    [tagNames.cluster]: owner.cluster,
    [tagNames.node]: owner.node,
    [tagNames.namespace]: owner.namespace,
    [tagNames.name]: owner.name,
    [tagNames.uid]: owner.uid,
    [tagNames.specHash]: specHash,
  };
}

/** The owner that a group's tags name, or undefined when it is not one of ours. */
export function groupOwner(tags: Readonly<Record<string, string>>): GroupOwner | undefined {
  const read = (key: keyof typeof tagNames): string => tags[tagNames[key]] ?? '';
  const owner: GroupOwner = {
    installation: read('installation'),
    cluster: read('cluster'),
    node: read('node'),
    namespace: read('namespace'),
    name: read('name'),
    uid: read('uid'),
  };
  return Object.values(owner).includes('') ? undefined : owner;
}

/** The owner that a group's tags name, when it is a pod of this node of this installation. */
export function ownerOnNode(
  tags: Readonly<Record<string, string>>,
  home: Pick<GroupOwner, 'installation' | 'cluster' | 'node'>,
): GroupOwner | undefined {
  const owner = groupOwner(tags);
  const isOurs =
    owner?.installation === home.installation && owner.cluster === home.cluster && owner.node === home.node;
  return isOurs ? owner : undefined;
}

/**
 * Only a group whose tags say so may be adopted, changed or deleted. The node counts too: to every other node of the
 * cluster the pod seems absent.
 */
export const isOwnedBy = (
  tags: Readonly<Record<string, string>>,
  owner: Pick<GroupOwner, 'installation' | 'cluster' | 'node' | 'uid'>,
): boolean => ownerOnNode(tags, owner)?.uid === owner.uid;
