import * as z from 'zod';

const tokenRequest = z.object({ kind: z.literal('TokenRequest'), status: z.object({ token: z.string().min(1) }) });

/** The token of an answered `authentication.k8s.io/v1.TokenRequest`. */
export function parseTokenRequest(json: unknown): string | undefined {
  const parsed = tokenRequest.safeParse(json);
  return parsed.success ? parsed.data.status.token : undefined;
}

/** What an answered `authentication.k8s.io/v1.TokenReview` says of a token. */
export interface TokenReviewAnswer {
  readonly authenticated: boolean;
  /** Audiences that the token and the review have in common. Empty: it is only good for the API server itself. */
  readonly audiences: readonly string[];
  readonly username: string;
  readonly groups: readonly string[];
}

const tokenReview = z.object({
  kind: z.literal('TokenReview'),
  status: z.object({
    // Left out by Go when false.
    authenticated: z.boolean().default(false),
    audiences: z.array(z.string()).default([]),
    user: z.object({ username: z.string().default(''), groups: z.array(z.string()).default([]) }).prefault({}),
  }),
});

export function parseTokenReview(json: unknown): TokenReviewAnswer | undefined {
  const parsed = tokenReview.safeParse(json);
  if (!parsed.success) {
    return undefined;
  }
  const { authenticated, audiences, user } = parsed.data.status;
  return { authenticated, audiences, username: user.username, groups: user.groups };
}
