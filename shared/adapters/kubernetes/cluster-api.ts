import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import { buildNodePatch } from '../../core/kubernetes/node-patch.ts';
import type { ClusterApi, TokenIdentity } from '../../ports/node-api.ts';
import { parseAnyObject } from '../../wire/kubernetes/meta.ts';
import { parseNamespaceUid } from '../../wire/kubernetes/namespace.ts';
import { parseNode } from '../../wire/kubernetes/node.ts';
import { parseServicesSecret } from '../../wire/kubernetes/references.ts';
import { parseTokenReview } from '../../wire/kubernetes/token.ts';
import type { TokenReviewAnswer } from '../../wire/kubernetes/token.ts';
import { asNode, request } from './http.ts';
import type { KubernetesClient } from './http.ts';
import { nodesPath } from './nodes.ts';
import { apiPath, namespacedPath } from './path.ts';
import { createTogether, ofAll } from './together.ts';
import { absentIsDone, deleteOptions } from './pods.ts';

/** Who asks for token reviews. */
export interface ClusterApiOptions {
  /**
   * One of the installation's nodes in this cluster (it need not exist yet). Every node may create TokenReviews, the
   * app itself may not unless it is bound to `system:auth-delegator`; so they are asked for as this node. Absent: as
   * the app itself.
   */
  readonly reviewAsNode?: string;
}

/** `ClusterApi` over `client`, which must not impersonate: nothing but a TokenReview is said in another name. */
export function createClusterApi(client: KubernetesClient, options: ClusterApiOptions = {}): ClusterApi {
  const reviewer = options.reviewAsNode === undefined ? client : asNode(client, options.reviewAsNode);
  const getUid = createTogether<object, string>(async (asked) => {
    const path = namespacedPath('kube-system');
    const uid = await request(client, { method: 'GET', path }, parseNamespaceUid, ofAll());
    for (const { answer } of asked) answer(uid);
  });
  return {
    getClusterUid: (signal) => getUid({}, signal),
    reviewToken: async (token, audience, signal) => {
      const path = apiPath('apis', 'authentication.k8s.io', 'v1', 'tokenreviews');
      const body = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [audience] },
      };
      const reviewed = await request(reviewer, { method: 'POST', path, body }, parseTokenReview, signal);
      return reviewed.ok ? ok(identityFor(reviewed.value, audience)) : withoutToken(reviewed, token);
    },
    getServicesCredential: ({ namespace, name }, signal) =>
      request(client, { method: 'GET', path: namespacedPath(namespace, 'secrets', name) }, parseServicesSecret, signal),
    patchNode: (node, change, signal) =>
      request(
        client,
        { method: 'PATCH', path: nodesPath(node.metadata.name), body: buildNodePatch(node, change) },
        parseNode,
        signal,
      ),
    deleteNode: async (name, uid, signal) =>
      absentIsDone(
        await request(
          client,
          { method: 'DELETE', path: nodesPath(name), body: deleteOptions(uid) },
          parseAnyObject,
          signal,
        ),
      ),
  };
}

/** An answer without audiences means: good for the API server, which is not us. */
const identityFor = (answer: TokenReviewAnswer, audience: string): TokenIdentity | undefined =>
  answer.authenticated && answer.username !== '' && answer.audiences.includes(audience)
    ? { username: answer.username, groups: answer.groups }
    : undefined;

/** A server that can't read the review may quote it. */
function withoutToken(refused: Extract<Result<never>, { ok: false }>, token: string): Result<never> {
  const { fault } = refused;
  return token === '' ? refused : fail({ ...fault, message: fault.message.replaceAll(token, '…') });
}
