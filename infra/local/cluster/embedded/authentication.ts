/** Who calls: by a client certificate of the cluster's CA, or by a bearer token; and as whom. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { authorize } from '../../sim/api-server/authorization.ts';
import type { ClusterState } from '../../sim/api-server/cluster-state.ts';
import { done, forbidden, refuse, unauthorized } from '../../sim/api-server/status-error.ts';
import type { StatusResult } from '../../sim/api-server/status-error.ts';
import type { KnownTokens } from '../../sim/api-server/reviews.ts';
import { apiAudience, readToken } from '../../sim/api-server/tokens.ts';
import { anonymous, userOf } from '../../sim/api-server/user.ts';
import type { User } from '../../sim/api-server/user.ts';

/** The user as whom the request is judged, or 401, or 403 for an impersonation that nobody granted. */
export function authenticate(state: ClusterState, request: IncomingMessage, known: KnownTokens): StatusResult<User> {
  const caller = callerOf(state, request, known);
  return caller.ok ? impersonated(state, caller.value, request.headers) : caller;
}

function callerOf(state: ClusterState, request: IncomingMessage, known: KnownTokens): StatusResult<User> {
  const certified = certificateUser(request);
  if (certified !== undefined) return done(certified);
  const { authorization } = request.headers;
  if (authorization === undefined) return done(anonymous);
  const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
  const holder = known(token, [apiAudience]) ?? readToken(state, token, [apiAudience]);
  return holder === undefined ? refuse(unauthorized) : done(holder.user);
}

function certificateUser({ socket }: IncomingMessage): User | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  const name: unknown = subject?.CN;
  return typeof name === 'string' && name !== '' ? userOf(name, texts(subject?.O)) : undefined;
}

function texts(value: unknown): readonly string[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.filter((one): one is string => typeof one === 'string' && one !== '');
}

/** Each name and group that is taken on has to be granted by itself. */
function impersonated(state: ClusterState, caller: User, headers: IncomingHttpHeaders): StatusResult<User> {
  const name = headers['impersonate-user'];
  const groups = listOf(headers['impersonate-group']);
  if (typeof name !== 'string' || name === '')
    return groups.length === 0
      ? done(caller)
      : refuse({ code: 400, reason: 'BadRequest', message: 'requested groups without impersonating a user' });
  const wanted = [{ resource: 'users', name }, ...groups.map((group) => ({ resource: 'groups', name: group }))];
  for (const { resource, name: who } of wanted) {
    const decision = authorize(state, caller, {
      verb: 'impersonate',
      group: '',
      resource,
      subresource: '',
      namespace: '',
      name: who,
    });
    if (!decision.allowed) return refuse(forbidden({ kind: resource, name: who }, decision.why));
  }
  return done(userOf(name, groups));
}

/** Node joins a header that comes more than once by a comma and a space. */
const listOf = (value: string | string[] | undefined): readonly string[] =>
  (Array.isArray(value) ? value.join(', ') : (value ?? ''))
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
