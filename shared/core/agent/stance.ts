import type { Pod } from '../kubernetes/pod.ts';
import { agentAnnotation } from '../pod/annotations/readers.ts';
import { wishesOf } from '../pod/annotations/read-wishes.ts';
import type { InspectionFacts } from '../pod/translation.ts';
import { agentDeliveryAt } from './agent-facts.ts';
import type { AgentDelivery } from './agent-facts.ts';
import { foundThat } from './findings/lost-features.ts';
import type { LostFeatures } from './findings/lost-features.ts';

/** Whether a pod may have the agent. */
export type Stance =
  | {
      readonly kind: 'ready';
      readonly mode: 'auto' | 'always';
      readonly delivery: AgentDelivery;
      /** Who says the mode. */
      readonly said: string;
    }
  /** `why` completes "the agent would give it, …". */
  | { readonly kind: 'absent'; readonly why: string };

/** What a probe found that leaves a pod without the agent; half a sentence. */
function lostAgent(lost: LostFeatures, { kind }: AgentDelivery): string | undefined {
  const failed =
    lost.get('everything that needs the agent') ??
    lost.get('the agent in pods whose containers ACI starts again (restartPolicy Always and OnFailure)');
  if (failed !== undefined) return foundThat(failed);
  const unreached = kind === 'download' ? lost.get('AGENT_DOWNLOAD') : undefined;
  return unreached && `${foundThat(unreached)}, so AGENT_DOWNLOAD does not bring it: ${publish}`;
}

const publish = 'kubectl aci agent publish puts it into a registry';

/** The annotation of the pod comes before the setting. `facts`: of the pod's own place, where it can't have what is `lost`. */
export function agentStance(
  { metadata }: Pick<Pod, 'metadata'>,
  { agent: facts, subnetId }: Pick<InspectionFacts, 'agent' | 'subnetId'>,
  lost?: LostFeatures,
): Stance {
  const { agent, ccePolicy } = wishesOf(metadata.annotations);
  const mode = agent ?? facts?.mode ?? 'auto';
  // Its command lines, mounts and variables are in it.
  if (ccePolicy !== undefined) return absent('which a pod with a confidential policy of its own can not have');
  if (mode === 'never')
    return absent(
      agent === undefined ? 'and the setting AGENT is never' : `and the annotation ${agentAnnotation} is never`,
    );
  if (facts === undefined) return absent('and there is none here yet: kubectl aci agent publish');
  const delivery = agentDeliveryAt(facts, subnetId);
  if (delivery.kind === 'none') return absent(`but ${delivery.why}: ${delivery.wayOut}`);
  const why = lost && lostAgent(lost, delivery);
  if (why !== undefined) return absent(`but ${why}`);
  const said = agent === undefined ? `AGENT=${mode}` : `${agentAnnotation}: ${mode}`;
  return { kind: 'ready', mode, delivery, said };
}

const absent = (why: string): Stance => ({ kind: 'absent', why });

/** Why a field is refused that only the agent gives. */
export const withoutAgent = (why: string, { why: absence }: Extract<Stance, { kind: 'absent' }>): string =>
  `${why}; the agent would give it, ${absence}`;
