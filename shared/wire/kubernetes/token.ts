import * as z from 'zod';
import type { PodToken } from '../../core/kubernetes/references.ts';
import { readTokenLifetime } from '../token-claims.ts';

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const tokenRequest = z.object({
  kind: z.literal('TokenRequest'),
  metadata: z.object({ creationTimestamp: instant }),
  status: z.object({ token: z.string().min(1), expirationTimestamp: instant }),
});

/**
 * The token of an answered `authentication.k8s.io/v1.TokenRequest`. How long it lives, the token itself says: of one
 * that the API server extends, `status.expirationTimestamp` names the end that was asked for, not the true one
 * (kube-apiserver, `pkg/registry/core/serviceaccount/storage/token.go`). Only where it is no JWT does the status count.
 */
export function parseTokenRequest(json: unknown): PodToken | undefined {
  const parsed = tokenRequest.safeParse(json);
  if (!parsed.success) return undefined;
  const { metadata, status } = parsed.data;
  const claimed = readTokenLifetime(status.token);
  const lifetimeSeconds = claimed ?? (status.expirationTimestamp - metadata.creationTimestamp) / 1000;
  return { value: status.token, lifetimeSeconds };
}

/** What an answered `authentication.k8s.io/v1.TokenReview` says of a token. */
export interface TokenReviewAnswer {
  readonly authenticated: boolean;
  /** Audiences that the token and the review have in common. Empty: it is only good for the API server itself. */
  readonly audiences: readonly string[];
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

const tokenReview = z.object({
  kind: z.literal('TokenReview'),
  status: z.object({
    // Left out by Go when false.
    authenticated: z.boolean().default(false),
    audiences: z.array(z.string()).default([]),
    user: z
      .object({
        username: z.string().default(''),
        uid: z.string().default(''),
        groups: z.array(z.string()).default([]),
        extra: z.record(z.string(), z.array(z.string())).default({}),
      })
      .prefault({}),
  }),
});

export function parseTokenReview(json: unknown): TokenReviewAnswer | undefined {
  const parsed = tokenReview.safeParse(json);
  if (!parsed.success) return undefined;
  const { authenticated, audiences, user } = parsed.data.status;
  return { authenticated, audiences, ...user };
}
