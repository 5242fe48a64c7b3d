import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Reviews, User } from './reviews.ts';

const everybody = 'system:authenticated';

/**
 * Who calls: by a client certificate that the cluster's client CA signed (CN the user, each O a group), else by a bearer
 * token (TokenReview). Undefined: nobody that the cluster knows, or it could not be asked.
 */
export async function authenticate(
  request: IncomingMessage,
  reviews: Reviews,
  signal: AbortSignal,
): Promise<User | undefined> {
  const byCertificate = certificateUser(request);
  if (byCertificate !== undefined) return byCertificate;
  const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return undefined;
  const reviewed = await reviews.reviewToken(token, signal);
  return reviewed.ok ? reviewed.value : undefined;
}

/** A resumed TLS 1.3 session is `authorized` without showing a certificate: the name decides. */
function certificateUser({ socket }: IncomingMessage): User | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  const name: unknown = subject?.CN;
  if (typeof name !== 'string' || name === '') return undefined;
  return { name, uid: '', groups: [...organizations(subject?.O), everybody], extra: {} };
}

function organizations(value: unknown): readonly string[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.filter((one): one is string => typeof one === 'string' && one !== '');
}
