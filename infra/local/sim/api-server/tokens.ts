/** Bearer tokens: ServiceAccounts' own (TokenRequest), and who somebody is by one (TokenReview). */
import { isJsonObject } from '../../../../shared/core/json.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ClusterState } from './cluster-state.ts';
import { instant, metaOf, numberAt, objectAt, specOf, textAt, textsAt, uidOf } from './json-access.ts';
import { tokenRestriction } from './node-restriction.ts';
import { badRequest, done, forbidden, invalid, notFound, refuse } from './status-error.ts';
import type { StatusResult, StatusError } from './status-error.ts';
import { pods, serviceAccounts } from './resources.ts';
import { nodeNameOf, serviceAccountUser } from './user.ts';
import type { User } from './user.ts';
import { invalidValue } from './validation.ts';

export const apiAudience = 'https://kubernetes.default.svc.cluster.local';
const leastSeconds = 600;
const mostSeconds = 2 ** 32;
/** For old clients that never read their token again: asked for exactly this by a pod, for the API's audience, it lives a year. */
const extendedWhenAsked = 3607;
const extensionSeconds = 365 * 86_400;
/** A bound token outlives the deadline of its pod by this much. */
const afterDeletionMs = 60_000;

export interface TokenCall {
  readonly user: User;
  readonly namespace: string;
  readonly name: string;
}

/** The answered TokenRequest. */
export function requestToken(state: ClusterState, call: TokenCall, body: JsonObject): StatusResult<JsonObject> {
  const { namespace, name, user } = call;
  const about = { kind: 'serviceaccounts', name };
  const account = state.store.get(serviceAccounts, { namespace, name });
  if (account === undefined) return refuse(notFound(about));
  const spec = specOf(body);
  const bound = objectAt(spec, 'boundObjectRef');
  const seconds = numberAt(spec, 'expirationSeconds') ?? 3600;
  if (seconds < leastSeconds || seconds > mostSeconds)
    return refuse(
      invalid('TokenRequest.authentication.k8s.io', '', [
        invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes'),
      ]),
    );
  const node = nodeNameOf(user);
  const asked = textsAt(spec, 'audiences');
  if (node !== undefined) {
    const why = tokenRestriction(state, node, { namespace, bound, audiences: asked });
    if (why !== undefined) return refuse(forbidden(about, why));
  }
  const holder = boundPod(state, { namespace, name }, bound);
  if (!holder.ok) return holder;
  const audiences = asked.length === 0 ? [apiAudience] : asked;
  const { extend, longestSeconds = seconds } = state.tokenTerms;
  const given = Math.min(seconds, longestSeconds);
  const isExtended = extend && holder.value !== undefined && isForExtension(given, audiences);
  const now = Math.floor(state.now() / 1000);
  const claims = {
    aud: audiences,
    exp: now + (isExtended ? extensionSeconds : given),
    iat: now,
    nbf: now,
    iss: apiAudience,
    jti: `${uidOf(account)}-${state.store.version}-${now}`,
    'kubernetes.io': {
      namespace,
      serviceaccount: { name, uid: uidOf(account) },
      ...(holder.value === undefined ? {} : holder.value),
      ...(isExtended ? { warnafter: now + given } : {}),
    },
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
  // Of an extended token too: the status does not say.
  const expirationTimestamp = instant((now + given) * 1000);
  return done({
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: instant(state.now()) },
    spec: { ...spec, audiences, expirationSeconds: given },
    status: { token: state.tokens.sign(claims), expirationTimestamp },
  });
}

const isForExtension = (seconds: number, audiences: readonly string[]): boolean =>
  seconds === extendedWhenAsked && audiences.every((audience) => audience === apiAudience);

/** The claims of the pod that a token is bound to; undefined when it is bound to nothing. */
function boundPod(
  state: ClusterState,
  account: { readonly namespace: string; readonly name: string },
  bound: JsonObject,
): StatusResult<JsonObject | undefined> {
  if (Object.keys(bound).length === 0) return done(undefined);
  if (textAt(bound, 'kind') !== 'Pod')
    return refuse(
      badRequest(
        `cannot bind token to object of type ${textAt(bound, 'kind')}: the embedded cluster binds tokens to pods`,
      ),
    );
  const name = textAt(bound, 'name');
  const pod = state.store.get(pods, { namespace: account.namespace, name });
  if (pod === undefined) return refuse(notFound({ kind: 'pods', name }));
  const uid = textAt(bound, 'uid');
  if (uid !== '' && uid !== uidOf(pod)) return refuse(uidMismatch(name, uid, uidOf(pod)));
  if ((textAt(specOf(pod), 'serviceAccountName') || 'default') !== account.name)
    return refuse(
      badRequest(
        `cannot bind token for serviceaccount "${account.name}" to pod running with different serviceaccount name.`,
      ),
    );
  const node = textAt(specOf(pod), 'nodeName');
  return done({ pod: { name, uid: uidOf(pod) }, ...(node === '' ? {} : { node: { name: node } }) });
}

const uidMismatch = (name: string, asked: string, actual: string): StatusError => ({
  code: 409,
  reason: 'Conflict',
  message: `Operation cannot be fulfilled on pods "${name}": the UID in the bound object reference (${asked}) does not match the UID in record (${actual}). The object might have been deleted and then recreated`,
});

export interface TokenHolder {
  readonly user: User;
  /** What the token is good for. */
  readonly audiences: readonly string[];
}

/** Whose token it is, for one of these audiences; undefined when it is nobody's, expired, or its pod or account is gone. */
export function readToken(state: ClusterState, token: string, audiences: readonly string[]): TokenHolder | undefined {
  const claims = state.tokens.read(token);
  if (claims === undefined || (numberAt(claims, 'exp') ?? 0) * 1000 <= state.now()) return undefined;
  const shared = textsAt(claims, 'aud').filter((one) => audiences.includes(one));
  const own = objectAt(claims, 'kubernetes.io');
  const { namespace, name, uid } = accountIn(own);
  const account = state.store.get(serviceAccounts, { namespace, name });
  if (shared.length === 0 || account === undefined || uidOf(account) !== uid) return undefined;
  const pod = own['pod'];
  if (isJsonObject(pod) && !isPodValid(state, namespace, pod)) return undefined;
  const user = serviceAccountUser(namespace, name, uid);
  return { user: { ...user, extra: extraOf(claims, own) }, audiences: shared };
}

const accountIn = (own: JsonObject): { namespace: string; name: string; uid: string } => {
  const account = objectAt(own, 'serviceaccount');
  return { namespace: textAt(own, 'namespace'), name: textAt(account, 'name'), uid: textAt(account, 'uid') };
};

function isPodValid(state: ClusterState, namespace: string, bound: JsonObject): boolean {
  const pod = state.store.get(pods, { namespace, name: textAt(bound, 'name') });
  if (pod === undefined || uidOf(pod) !== textAt(bound, 'uid')) return false;
  const deadline = textAt(metaOf(pod), 'deletionTimestamp');
  return deadline === '' || state.now() <= Date.parse(deadline) + afterDeletionMs;
}

function extraOf(claims: JsonObject, own: JsonObject): Record<string, readonly string[]> {
  const pod = objectAt(own, 'pod');
  const node = textAt(objectAt(own, 'node'), 'name');
  return {
    'authentication.kubernetes.io/credential-id': [`JTI=${textAt(claims, 'jti')}`],
    ...(textAt(pod, 'name') === ''
      ? {}
      : {
          'authentication.kubernetes.io/pod-name': [textAt(pod, 'name')],
          'authentication.kubernetes.io/pod-uid': [textAt(pod, 'uid')],
        }),
    ...(node === '' ? {} : { 'authentication.kubernetes.io/node-name': [node] }),
  };
}
