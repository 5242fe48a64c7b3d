import type { Pod } from '../../kubernetes/pod.ts';
import { walkSpec } from '../../pod/field-walk.ts';
import type { Finding } from '../../pod/field-walk.ts';
import { mountedVolumes } from '../../pod/mounted-volumes.ts';
import type { InspectionFacts } from '../../pod/translation.ts';
import { containerOf } from '../tier.ts';
import type { Need } from '../tier.ts';

/** What the table of fields says; `judged` gifts are other rules' (`AgentGift`). */
function strengthOf(
  { agent, verdict }: Finding,
  securityPolicy: InspectionFacts['securityPolicy'],
): Need['strength'] | undefined {
  if (agent === undefined || agent.judged === true) return undefined;
  if (verdict === 'refused') return agent.strength === 'needs' ? 'needs' : undefined;
  // Hardening that the group's isolation is not to stand for.
  if (verdict === 'met') return securityPolicy === 'strict' ? 'needs' : undefined;
  return agent.strength === 'wants' ? 'wants' : undefined;
}

const volumePath = /^spec\.volumes\[\d+\]/;

/** For which fields of the table a pod has to have the agent, or is to; of volumes only where a container mounts them. */
export function fieldNeeds(pod: Pod, { securityPolicy }: Pick<InspectionFacts, 'securityPolicy'>): readonly Need[] {
  const mounted = new Set(mountedVolumes(pod).map(({ path }) => path));
  const isIdle = (path: string): boolean => {
    const [volume] = volumePath.exec(path) ?? [];
    return volume !== undefined && !mounted.has(volume);
  };
  return walkSpec(pod.rawSpec).flatMap((finding): readonly Need[] => {
    const { agent, path, verdict, reason, refusalReason } = finding;
    const strength = strengthOf(finding, securityPolicy);
    if (agent === undefined || strength === undefined || isIdle(path)) return [];
    return [
      {
        tier: agent.tier,
        strength,
        field: path,
        why: verdict === 'met' ? strictly : reason,
        ...(refusalReason !== undefined && { refusalReason }),
        concerns: containerOf(path) ?? agent.concerns ?? 'group',
      },
    ];
  });
}

/** Why a hardening field is refused where nobody sets it. */
export const strictly = 'ACI can not set it inside the containers, and SECURITY_POLICY is strict';
