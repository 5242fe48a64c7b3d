import * as z from 'zod';

/** `meta/v1.Status`: how the API server words each refusal. */
export interface KubeStatus {
  readonly reason: string;
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

const schema = z.object({
  kind: z.literal('Status'),
  reason: z.string().catch(''),
  message: z.string().catch(''),
  details: z
    .object({ retryAfterSeconds: z.number().nonnegative().optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

/** Undefined for everything that is not a `Status` object. */
export function parseStatus(json: unknown): KubeStatus | undefined {
  const parsed = schema.safeParse(json);
  if (!parsed.success) return undefined;
  const { reason, message, details } = parsed.data;
  return {
    reason,
    message,
    ...(details?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: details.retryAfterSeconds }),
  };
}
