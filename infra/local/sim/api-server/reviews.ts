/** Questions that are answered at once and kept nowhere: TokenReview, SubjectAccessReview, and their own-self forms. */
import type { JsonObject } from '../../../../shared/core/json.ts';
import { authorize } from './authorization.ts';
import type { Attributes } from './attributes.ts';
import type { ClusterState } from './cluster-state.ts';
import { objectAt, specOf, textAt, textsAt } from './json-access.ts';
import { badRequest, done, refuse } from './status-error.ts';
import type { StatusResult } from './status-error.ts';
import { accessReviews, apiVersionOf, selfAccessReviews, selfSubjectReviews, tokenReviews } from './resources.ts';
import type { Resource } from './resources.ts';
import { apiAudience, readToken } from './tokens.ts';
import type { TokenHolder } from './tokens.ts';
import { mastersGroup, userJson } from './user.ts';
import type { User } from './user.ts';

/** Who else than ServiceAccounts has tokens: the administrator, and what a test planted. */
export type KnownTokens = (token: string, audiences: readonly string[]) => TokenHolder | undefined;

export interface ReviewCall {
  readonly user: User;
  readonly resource: Resource;
  readonly known: KnownTokens;
}

export function answerReview(state: ClusterState, call: ReviewCall, body: JsonObject): StatusResult<JsonObject> {
  const answer = (spec: JsonObject, status: JsonObject): StatusResult<JsonObject> =>
    done({ kind: call.resource.kind, apiVersion: apiVersionOf(call.resource), metadata: {}, spec, status });
  const spec = specOf(body);
  switch (call.resource) {
    case tokenReviews:
      // A token is not reported back.
      return answer({ ...spec, token: '' }, tokenStatus(state, spec, call.known));
    case selfSubjectReviews:
      return answer({}, { userInfo: userJson(call.user) });
    case selfAccessReviews:
      return accessStatus(state, call.user, spec, answer);
    case accessReviews: {
      const name = textAt(spec, 'user');
      const groups = textsAt(spec, 'groups');
      if (name === '' && groups.length === 0)
        return refuse(badRequest('spec.user: Required value: at least one of user or group must be specified'));
      return accessStatus(state, { name, groups, uid: textAt(spec, 'uid'), extra: {} }, spec, answer);
    }
    default:
      return refuse(badRequest(`${call.resource.kind} is not answered here`));
  }
}

function tokenStatus(state: ClusterState, spec: JsonObject, known: KnownTokens): JsonObject {
  const token = textAt(spec, 'token');
  const given = textsAt(spec, 'audiences');
  const audiences = given.length === 0 ? [apiAudience] : given;
  const holder = known(token, audiences) ?? readToken(state, token, audiences);
  if (holder === undefined) return { user: {}, error: '[invalid bearer token, token lookup failed]' };
  return { authenticated: true, user: userJson(holder.user), audiences: holder.audiences };
}

function accessStatus(
  state: ClusterState,
  user: User,
  spec: JsonObject,
  answer: (spec: JsonObject, status: JsonObject) => StatusResult<JsonObject>,
): StatusResult<JsonObject> {
  if (spec['resourceAttributes'] === undefined) {
    const path = textAt(objectAt(spec, 'nonResourceAttributes'), 'path');
    return answer(spec, { allowed: user.groups.includes(mastersGroup) || isPublicPath(path) });
  }
  const asked = objectAt(spec, 'resourceAttributes');
  const attributes: Attributes = {
    verb: textAt(asked, 'verb'),
    group: textAt(asked, 'group'),
    resource: textAt(asked, 'resource'),
    subresource: textAt(asked, 'subresource'),
    namespace: textAt(asked, 'namespace'),
    name: textAt(asked, 'name'),
  };
  const decision = authorize(state, user, attributes);
  return answer(spec, decision.allowed ? { allowed: true } : { allowed: false, reason: decision.why });
}

/** Discovery, which every authenticated user may read. */
const isPublicPath = (path: string): boolean => /^\/(api|apis|openapi|version|healthz|livez|readyz)(\/|$)/.test(path);
