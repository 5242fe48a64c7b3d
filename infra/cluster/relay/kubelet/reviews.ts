import { createHash } from 'node:crypto';
import { request } from '../../../../shared/adapters/kubernetes/http.ts';
import type { KubernetesClient } from '../../../../shared/adapters/kubernetes/http.ts';
import { ok } from '../../../../shared/core/fault.ts';
import type { Result } from '../../../../shared/core/fault.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { parseAccessReview } from '../../../../shared/wire/kubernetes/access-review.ts';
import { parseTokenReview } from '../../../../shared/wire/kubernetes/token.ts';
import type { NodeAttributes } from './attributes.ts';
import { DecisionCache } from './decision-cache.ts';

/** Who calls a kubelet's port, as the cluster knows him. */
export interface User {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** As a kubelet's own defaults. */
const tokenMs = 120_000;
const refusedTokenMs = 30_000;
const allowedMs = 300_000;
const deniedMs = 30_000;
const mostRemembered = 1000;

/** Asks the API server who somebody is and what he may, and remembers the answers: refusals shorter. */
export class Reviews {
  readonly #client: KubernetesClient;
  readonly #users = new DecisionCache<User | 'unknown'>(mostRemembered);
  readonly #decisions = new DecisionCache<boolean>(mostRemembered);

  constructor(client: KubernetesClient) {
    this.#client = client;
  }

  /** Whose token it is (TokenReview, the API server's own audiences); undefined: nobody's. */
  async reviewToken(token: string, signal: AbortSignal): Promise<Result<User | undefined>> {
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#users.get(key);
    if (known !== undefined) return ok(known === 'unknown' ? undefined : known);
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
    const path = '/apis/authentication.k8s.io/v1/tokenreviews';
    const reviewed = await request(this.#client, { method: 'POST', path, body }, parseUser, signal);
    if (!reviewed.ok) return reviewed;
    const user = reviewed.value;
    this.#users.set(key, user, user === 'unknown' ? refusedTokenMs : tokenMs);
    return ok(user === 'unknown' ? undefined : user);
  }

  /** Whether the user may do that to the node: its subresources are tried in order, the first allowed decides. */
  async isAllowed(user: User, node: string, attributes: NodeAttributes, signal: AbortSignal): Promise<Result<boolean>> {
    for (const subresource of attributes.subresources) {
      const allowed = await this.#review({ user, node, verb: attributes.verb, subresource }, signal);
      if (!allowed.ok || allowed.value) return allowed;
    }
    return ok(false);
  }

  async #review(asked: Asked, signal: AbortSignal): Promise<Result<boolean>> {
    const spec = accessSpec(asked);
    const key = createHash('sha256').update(JSON.stringify(spec)).digest('base64');
    const known = this.#decisions.get(key);
    if (known !== undefined) return ok(known);
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const reviewed = await request(this.#client, { method: 'POST', path, body }, parseAccessReview, signal);
    if (reviewed.ok) this.#decisions.set(key, reviewed.value, reviewed.value ? allowedMs : deniedMs);
    return reviewed;
  }
}

interface Asked {
  readonly user: User;
  readonly node: string;
  readonly verb: string;
  readonly subresource: string;
}

const accessSpec = ({ user, node, verb, subresource }: Asked): JsonObject => ({
  user: user.name,
  groups: user.groups,
  ...(user.uid === '' ? {} : { uid: user.uid }),
  extra: user.extra,
  resourceAttributes: { verb, group: '', version: 'v1', resource: 'nodes', name: node, subresource },
});

function parseUser(json: unknown): User | 'unknown' | undefined {
  const review = parseTokenReview(json);
  if (review === undefined) return undefined;
  const { authenticated, username, uid, groups, extra } = review;
  return authenticated && username !== '' ? { name: username, uid, groups, extra } : 'unknown';
}
