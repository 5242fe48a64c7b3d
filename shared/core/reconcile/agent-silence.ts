import { memoryOf } from '../agent/reports/memory.ts';
import type { AgentMemory } from '../agent/reports/memory.ts';
import type { GroupObservation } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { containersOf } from '../pod-events/pod-event.ts';
import { podEvents } from '../pod-events/table.ts';
import { instantMs } from '../status/time.ts';
import { groupThatIs } from './end-group.ts';
import { again, createEvent } from './rule.ts';
import type { PodRule } from './rule.ts';
import { timing } from './timing.ts';
import type { Effect, Observed } from './observed.ts';

/** An agent that should have reported by now is asked, once, what is in its way. */
export const agentSilenceRule: PodRule = {
  reason: 'agent-silent',
  message: 'A container has run for a while and its agent was never heard: it is asked why',
  judge: (observed) => {
    const group = groupThatIs(observed, 'running');
    if (group === undefined) return undefined;
    const known = observed.row.agent?.silent ?? {};
    const containers = unheard(observed.row.agent, group)
      .filter(({ name, since }) => known[name] === undefined && since + timing.agentSilenceMs <= observed.now)
      .map(({ name }) => name);
    return containers.length === 0
      ? undefined
      : { effects: [{ kind: 'ask-agents', containers }], row: {}, next: again };
  },
};

/** Until an agent must be asked, ms; Infinity: none has to be. */
export function agentSilenceInMs({ row: { agent }, now }: Observed, group: GroupObservation): number {
  const known = agent?.silent ?? {};
  const waits = unheard(agent, group)
    .filter(({ name }) => known[name] === undefined)
    .map(({ since }) => since + timing.agentSilenceMs - now);
  return Math.max(0, Math.min(Infinity, ...waits));
}

/** Of each container whose agent was asked, and is not heard yet. */
export function silenceEvents({ row: { agent } }: Pick<Observed, 'row'>, pod: Pod): readonly Effect[] {
  const silent = agent?.silent ?? {};
  return containersOf(pod).flatMap((container) => {
    const why = silent[container.name];
    return why === undefined ? [] : [createEvent(podEvents.agentSilent.of(container, why))];
  });
}

/** Containers that run and whose agents are to report, and never have. */
function unheard(
  known: AgentMemory | undefined,
  group: GroupObservation,
): readonly { readonly name: string; readonly since: number }[] {
  const agent = memoryOf(group, known);
  if (agent === undefined) return [];
  return group.containers.flatMap(({ name, instanceView }) => {
    const since = instantMs(instanceView?.currentState?.startTime);
    const isSilent = agent.expected.includes(name) && agent.containers[name] === undefined;
    return isSilent && instanceView?.currentState?.state === 'Running' && since !== undefined ? [{ name, since }] : [];
  });
}
