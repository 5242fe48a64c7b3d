import { defined } from '../../../../shared/core/defined.ts';
import type { Pod } from '../../../../shared/core/kubernetes/pod.ts';
import type { PodKey } from '../../../../shared/wire/relay-protocol/pod-events.ts';

/** What a relay informs the app of a pod. */
export const keyOf = (pod: Pod): PodKey => ({
  node: pod.spec.nodeName,
  namespace: pod.metadata.namespace,
  name: pod.metadata.name,
  uid: pod.metadata.uid,
  resourceVersion: pod.metadata.resourceVersion,
  generation: pod.metadata.generation,
  ...defined({ deletionTimestamp: pod.metadata.deletionTimestamp }),
});
