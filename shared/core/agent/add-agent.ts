import type { GroupInitContainer, GroupVolume } from '../group/group.ts';
import type { Part, PartScope } from '../pod/group-containers.ts';
import type { GroupVolumes } from '../pod/volumes.ts';
import type { AgentAccess } from './agent-facts.ts';
import type { GivenAgent } from './decision.ts';
import { agentNames, install, wrapMounts } from './install.ts';

/** The containers and volumes of a group. */
export interface Grouped {
  readonly parts: readonly Part[];
  /** `install`, where there is one. */
  readonly first: readonly GroupInitContainer[];
  readonly volumes: readonly GroupVolume[];
}

/** The same with all that the agent has in the group. */
export function addAgent(
  { given, access, scope }: { readonly given: GivenAgent; readonly access: AgentAccess; readonly scope: PartScope },
  parts: readonly Part[],
  { volumes, prepared }: GroupVolumes,
): Grouped {
  const { pod, host } = scope;
  const names = agentNames(pod, volumes);
  const wrapped = parts.filter((part) => part.wrapped !== undefined);
  const orders = wrapped.flatMap((part) => part.wrapped ?? []);
  const isNamed = host.field !== undefined || orders.some(({ orders: { hosts } }) => hosts !== undefined);
  const own = install({
    pod,
    delivery: given.delivery,
    access,
    names,
    wrapped: orders,
    prepared,
    ...(isNamed && { hostname: host.own }),
  });
  return {
    parts: parts.map((part) => {
      const index = wrapped.indexOf(part);
      if (index < 0) return part;
      const { container } = part;
      const volumeMounts = [...container.volumeMounts, ...wrapMounts(names, index)];
      return { ...part, container: { ...container, volumeMounts } };
    }),
    first: [own.container],
    volumes: [...volumes, ...own.volumes],
  };
}
