import * as z from 'zod';

const accessReview = z.object({
  kind: z.enum(['SubjectAccessReview', 'SelfSubjectAccessReview']),
  // Left out by Go when false.
  status: z.object({ allowed: z.boolean().default(false) }),
});

/** What an answered review of `authorization.k8s.io/v1` decides; undefined: it is none. */
export const parseAccessReview = (json: unknown): boolean | undefined =>
  accessReview.safeParse(json).data?.status.allowed;
