import * as z from 'zod';
import { defined } from '../../../shared/core/defined.ts';
import { servicesSecrets } from '../../../shared/core/access/roles.ts';
import { instantMs } from '../../../shared/core/status/time.ts';
import { formerAnnotation, servicesSecretPath } from '../cluster/names.ts';
import type { CredentialSecret } from '../cluster/services-credentials.ts';
import type { ClusterReader } from './cluster-reader.ts';
import { read, unreadable } from './observed.ts';
import type { Part } from './observed.ts';

const secretSchema = z.object({
  metadata: z.object({
    uid: z.string(),
    creationTimestamp: z.string().nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
  data: z.record(z.string(), z.string()).nullish(),
});

/** A Secret of the account `services`, without what is in it. */
export type SecretSeen = Omit<CredentialSecret, 'pods'>;

/** Which of the two there are, with the operator's rights. No part of a token is kept. Reads only. */
export async function readServicesSecrets(
  reader: ClusterReader,
  namespace: string,
): Promise<Part<readonly SecretSeen[]>> {
  const seen: SecretSeen[] = [];
  for (const name of servicesSecrets) {
    const answer = await reader.get(servicesSecretPath(namespace, name));
    if (answer.kind === 'unreadable') return answer;
    if (answer.value === undefined) continue;
    const parsed = secretSchema.safeParse(answer.value.json).data;
    if (parsed === undefined) return unreadable('The API server answered with something else.');
    const { uid, creationTimestamp, annotations } = parsed.metadata;
    const formerMs = instantMs(annotations?.[formerAnnotation]);
    const createdMs = instantMs(creationTimestamp ?? undefined) ?? 0;
    seen.push({ name, uid, hasToken: (parsed.data?.['token'] ?? '') !== '', createdMs, ...defined({ formerMs }) });
  }
  return read(seen);
}
