import * as z from 'zod';
import { parseTokenRequest } from '../../../shared/wire/kubernetes/token.ts';
import type { CliContext } from '../context.ts';
import { createObject, getObject } from '../cluster/objects.ts';
import { failure } from '../stop.ts';
import { parseJson } from '../../../shared/wire/json-text.ts';

/** What a ServiceAccount's token says of itself. */
export interface TokenFacts {
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly serviceAccountUid: string | undefined;
}

const claimsSchema = z.object({
  exp: z.number(),
  iat: z.number(),
  'kubernetes.io': z.object({ serviceaccount: z.object({ uid: z.string() }).optional() }).optional(),
});

/** Reads a token without checking it; undefined when it is none. */
export function readToken(token: string): TokenFacts | undefined {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  const parsed = claimsSchema.safeParse(parseJson(payload));
  if (!parsed.success) return undefined;
  const { exp, iat, 'kubernetes.io': kubernetes } = parsed.data;
  return {
    issuedAtMs: iat * 1000,
    expiresAtMs: exp * 1000,
    serviceAccountUid: kubernetes?.serviceaccount?.uid,
  };
}

const weekMs = 7 * 86_400_000;

/**
 * Whether the token that the app has will do: it is of the ServiceAccount that is there now, and a week of it is left
 * (half of its life, where it lives shorter than two).
 */
export function isTokenGood(token: TokenFacts | undefined, serviceAccountUid: string, nowMs: number): boolean {
  if (token === undefined || token.serviceAccountUid !== serviceAccountUid) return false;
  const enoughMs = Math.min(weekMs, (token.expiresAtMs - token.issuedAtMs) / 2);
  return token.expiresAtMs - nowMs > enoughMs;
}

const accountPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/serviceaccounts/app`;
const accountSchema = z.object({ metadata: z.object({ uid: z.string() }) });

/** UID of the chart's ServiceAccount `app`. */
export async function appAccountUid(context: CliContext, namespace: string): Promise<string> {
  const found = accountSchema.safeParse(await getObject(context, accountPath(namespace)));
  if (found.success) return found.data.metadata.uid;
  throw failure(
    `the namespace ${namespace} has no ServiceAccount app`,
    'run the same command again: the chart makes it',
  );
}

/** A new token of it, for the API server. The cluster may grant less time than asked. */
export async function requestAppToken(
  context: CliContext,
  { namespace, durationMs }: { readonly namespace: string; readonly durationMs: number },
): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: Math.floor(durationMs / 1000) },
  };
  const answer = parseTokenRequest(await createObject(context, `${accountPath(namespace)}/token`, request));
  const token = answer?.value ?? '';
  const facts = readToken(token);
  if (facts === undefined) throw failure('the API server gave no readable token', 'attach with --auth entra instead');
  return { token, expiresAtMs: facts.expiresAtMs };
}
