import type { Pod } from '../kubernetes/pod.ts';
import type { PodToken } from '../kubernetes/references.ts';
import { tokenSources } from './mounted-volumes.ts';
import type { TokenSource } from './mounted-volumes.ts';
import { expirationAnnotation, tokenExchangeAudience } from './rules/workload-identity.ts';
import type { Notice } from './translation.ts';

/**
 * A token that lives for so long is not reported: an API server that extends gives a year, and a Deployment's pods are
 * replaced sooner than that by rollouts; an event on each pod of an ordinary cluster would hide those that matter.
 */
const quietSeconds = 30 * 86_400;

interface OutlivedToken {
  readonly source: TokenSource;
  readonly token: PodToken;
}

/** Tokens that the pod may outlive, soon enough for somebody to notice. `tokens` in the order of `tokenSources`. */
export const outlivedTokens = (pod: Pod, tokens: readonly PodToken[]): readonly OutlivedToken[] =>
  tokenSources(pod).flatMap((source, index) => {
    const token = tokens[index];
    if (token === undefined || token.lifetimeSeconds >= quietSeconds || !mayOutlive(pod, token)) return [];
    return [{ source, token }];
  });

/** What nobody renews: ACI's volumes do not change while a group runs. `renewed`: the names of volumes that the agent renews. */
export function tokenNotices(pod: Pod, tokens: readonly PodToken[], renewed: ReadonlySet<string>): readonly Notice[] {
  const isRenewed = new Set(
    pod.spec.volumes.flatMap(({ name, source }) =>
      source.kind === 'projected' && renewed.has(name) ? source.sources : [],
    ),
  );
  return outlivedTokens(pod, tokens).flatMap(({ source, token }): readonly Notice[] => {
    const { path, audience } = source;
    if (isRenewed.has(source)) return [];
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
