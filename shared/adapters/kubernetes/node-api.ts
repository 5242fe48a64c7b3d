import type { NodeApi } from '../../ports/node-api.ts';
import { createEventApi } from './events.ts';
import { asNode } from './http.ts';
import type { KubernetesClient } from './http.ts';
import { createOwnNodeApi } from './nodes.ts';
import { createPodApi } from './pods.ts';
import { createReferenceApi } from './references.ts';

/** `NodeApi` over the connections of `client`, every request as `system:node:<nodeName>` of group `system:nodes`. */
export function createNodeApi(client: KubernetesClient, nodeName: string): NodeApi {
  const node = asNode(client, nodeName);
  return {
    now: () => node.clock.now(),
    ...createOwnNodeApi(node, nodeName),
    ...createPodApi(node, nodeName),
    ...createReferenceApi(node),
    ...createEventApi(node, nodeName),
  };
}
