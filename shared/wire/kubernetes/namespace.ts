import * as z from 'zod';

const namespace = z.object({ kind: z.literal('Namespace'), metadata: z.object({ uid: z.string().min(1) }) });

/** The UID of a `v1.Namespace`. */
export function parseNamespaceUid(json: unknown): string | undefined {
  const parsed = namespace.safeParse(json);
  return parsed.success ? parsed.data.metadata.uid : undefined;
}
