import type { AgentDecision } from '../../agent/decision.ts';
import type { Container, Pod } from '../../kubernetes/pod.ts';
import type { InspectionFacts, Notice, Refusal } from '../translation.ts';

/** What a spec is judged by, with what it gets of the agent. */
export interface RuleFacts extends InspectionFacts {
  readonly agentGiven: AgentDecision;
}

/** What one rule has to say about a pod; nothing when the pod keeps it. */
export type Rule = (pod: Pod, facts: RuleFacts) => readonly (Refusal | Notice)[];

export const isRefusal = (said: Refusal | Notice): said is Refusal => 'kind' in said;

export interface Located {
  readonly container: Container;
  readonly member: 'initContainers' | 'containers';
  readonly index: number;
  /** `spec.initContainers[0]`. */
  readonly path: string;
}

/** Init containers, then the others, each with its path. */
export const locatedContainers = ({ spec }: Pod): readonly Located[] =>
  (['initContainers', 'containers'] as const).flatMap((member) =>
    spec[member].map((container, index) => ({ container, member, index, path: `spec.${member}[${index}]` })),
  );
