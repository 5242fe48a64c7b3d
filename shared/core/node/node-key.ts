/** Which node of which cluster. The cluster is the UID of its kube-system namespace, so that a rebuilt cluster owns nothing of the old one. */
export interface NodeKey {
  readonly cluster: string;
  readonly node: string;
}

export const nodeKeyText = (key: NodeKey): string => `${key.cluster}_${key.node}`;
