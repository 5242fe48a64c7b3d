import type { Pod } from '../kubernetes/pod.ts';
import type { PodToken } from '../kubernetes/references.ts';
import { tokenSources } from './mounted-volumes.ts';
import { expirationAnnotation, tokenExchangeAudience } from './rules/workload-identity.ts';
import type { Notice } from './translation.ts';

/**
 * A token that lives for so long is not reported: an API server that extends gives a year, and a Deployment's pods are
 * replaced sooner than that by rollouts; an event on each pod of an ordinary cluster would hide those that matter.
 */
const quietSeconds = 30 * 86_400;

/** Tokens that the pod may outlive: ACI's volumes do not change while a group runs. `tokens` in the order of `tokenSources`. */
export function tokenNotices(pod: Pod, tokens: readonly PodToken[]): readonly Notice[] {
  return tokenSources(pod).flatMap(({ path, audience }, index): readonly Notice[] => {
    const token = tokens[index];
    if (token === undefined || token.lifetimeSeconds >= quietSeconds || !mayOutlive(pod, token)) return [];
    return [
      {
        // A service outlives it for certain; a task may be done before.
        ...(pod.spec.restartPolicy === 'Always' && { type: 'Warning' }),
        reason: 'TokenNotRenewed',
        message: `spec.volumes[*].projected: token ${path} is not renewed in a running group; it ends ${duration(token.lifetimeSeconds)} after the group was created${longer(audience, token)}`,
      },
    ];
  });
}

const daySeconds = 86_400;

/** A token of Azure Workload Identity is as long as its own annotation says; an hour where it says nothing. */
const longer = (audience: string | undefined, { lifetimeSeconds }: PodToken): string =>
  audience === tokenExchangeAudience && lifetimeSeconds < daySeconds
    ? `; annotation ${expirationAnnotation}: "${daySeconds}" asks for a day`
    : '';

/** Only the pod's own deadline bounds its life, whatever its restartPolicy; a Job's is not on its pods. */
function mayOutlive({ spec }: Pod, { lifetimeSeconds }: PodToken): boolean {
  const { activeDeadlineSeconds, terminationGracePeriodSeconds } = spec;
  return activeDeadlineSeconds === undefined || activeDeadlineSeconds + terminationGracePeriodSeconds > lifetimeSeconds;
}

/** `1 h`, `24 h`, `10 min`; seconds where it is nothing round. */
function duration(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
