/** A `v1.Event` about a pod or a node, as `kubectl describe` shows it. */
export interface KubeEvent {
  readonly involved: {
    readonly kind: 'Pod' | 'Node';
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly fieldPath?: string;
  };
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, from the kubelet's own list where one fits. */
  readonly reason: string;
  /** One sentence for a person; never a secret. */
  readonly message: string;
  /** RFC 3339. */
  readonly at: string;
  /** Makes the name, so that writing the same event twice is one event (a conflict is a success). */
  readonly dedupeKey: string;
  /** How often it has happened; once unless given. */
  readonly count?: number;
}
