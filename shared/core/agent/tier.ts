/** T1: the agent prepares a container before its program starts. T2: it stays beside the program. */
export type AgentTier = 'T1' | 'T2';

/** T0: nothing is added to the pod. */
export type Tier = 'T0' | AgentTier;

/**
 * `needs`: without the agent the pod is refused. `wants`: the agent is added for it where there is one. `takes`: it is given
 * where the pod has the agent for another reason.
 */
export type Strength = 'needs' | 'wants' | 'takes';

/** What the agent makes of a field that ACI has not. */
export interface AgentGift {
  readonly tier: AgentTier;
  readonly strength: Strength;
  /** Half a sentence. */
  readonly how: string;
  /** Of a field of the pod; a container's concerns that container. Absent: `group`. */
  readonly concerns?: Concern;
  /** The field alone does not say whether it is needed: the image does, or another rule of the agent's. */
  readonly judged?: true;
  /** What of it the agent can't give, and is noted. */
  readonly rest?: string;
}

/** Whose programs the agent has to start: of all containers, of those that are no init containers, or nobody's: `install` is enough. */
export type Concern = 'all' | 'main' | 'group';

/** One container of the pod. */
export interface ContainerKey {
  readonly member: 'initContainers' | 'containers';
  readonly index: number;
}

/** One reason for which a pod gets the agent. */
export interface Need {
  readonly tier: AgentTier;
  readonly strength: 'needs' | 'wants';
  /** `spec.containers[0].workingDir` */
  readonly field: string;
  /** Why ACI can't; half a sentence. Of what is only wanted it is never said. */
  readonly why: string;
  /** The pod's `status.reason` when it is refused. */
  readonly refusalReason?: string;
  readonly concerns: ContainerKey | Concern;
}

const ofContainer = /^spec\.(initContainers|containers)\[(\d+)\]/;

/** The container that a field is of. */
export function containerOf(field: string): ContainerKey | undefined {
  const [, member, index] = ofContainer.exec(field) ?? [];
  if (index === undefined) return undefined;
  return { member: member === 'initContainers' ? 'initContainers' : 'containers', index: Number(index) };
}
