import type { GroupInitContainer, GroupVolume, GroupVolumeMount } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { objectsAt, textAt } from '../json-access.ts';
import type { AgentAccess, AgentDelivery } from './agent-facts.ts';
import { downloadCommand } from './download.ts';
import { ordersHeader } from './container-orders.ts';
import type { ContainerOrders, GroupOrders, HostAlias, PreparedVolume, StateFolder } from './orders.ts';
import { agentPlaces, imageProgram, ordersFile } from './places.ts';

/** A name that nothing in `taken` has. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  for (let count = 1; taken.has(name); count += 1) name = `${wanted}-${count}`;
  return name;
}

/** Names of what the agent has in a group; nobody sees them but ARM. */
export interface AgentNames {
  readonly install: string;
  readonly program: string;
  readonly state: string;
  /** Of the volume with the orders of `install`, and of each container in its order. */
  readonly orders: (index?: number) => string;
}

/** Beside the names that the pod has. */
export function agentNames({ spec }: Pod, volumes: readonly GroupVolume[]): AgentNames {
  const containers = new Set([...spec.initContainers, ...spec.containers].map(({ name }) => name));
  const taken = new Set(volumes.map(({ name }) => name));
  return {
    install: freeName('sk-install', containers),
    program: freeName('sk-program', taken),
    state: freeName('sk-state', taken),
    orders: (index) => freeName(index === undefined ? 'sk-install-orders' : `sk-orders-${index}`, taken),
  };
}

/** A container whose program the agent starts. */
export interface WrappedContainer {
  readonly orders: ContainerOrders;
  /** As whom it starts, where that is a number. */
  readonly uid: number | undefined;
}

/** What a container has in the group for the agent. */
export const wrapMounts = (names: AgentNames, index: number): readonly GroupVolumeMount[] => [
  { name: names.program, mountPath: agentPlaces.program, readOnly: true },
  { name: names.state, mountPath: agentPlaces.state },
  { name: names.orders(index), mountPath: agentPlaces.orders, readOnly: true },
];

const secretOf = (orders: ContainerOrders | GroupOrders): Readonly<Record<string, string>> => ({
  [ordersFile]: Buffer.from(JSON.stringify(orders)).toString('base64'),
});

/** What `install` does to a volume of the group. */
export interface VolumeToPrepare {
  readonly volume: string;
  readonly orders: PreparedVolume;
}

export interface InstallScope {
  readonly pod: Pod;
  readonly delivery: AgentDelivery;
  readonly access: AgentAccess;
  readonly names: AgentNames;
  /** In the order of their volumes. */
  readonly wrapped: readonly WrappedContainer[];
  readonly prepared: readonly VolumeToPrepare[];
  /** What the pod finds as its own name; undefined: that of ACI. */
  readonly hostname?: string;
}

/** The first init container of the group, and the volumes of the agent. */
export interface Install {
  readonly container: GroupInitContainer;
  readonly volumes: readonly GroupVolume[];
}

export function install(scope: InstallScope): Install {
  const { delivery, names, wrapped, prepared } = scope;
  const { image, command } = installCommand(delivery);
  return {
    container: {
      name: names.install,
      image,
      command,
      environmentVariables: [],
      volumeMounts: [
        { name: names.program, mountPath: agentPlaces.program },
        { name: names.state, mountPath: agentPlaces.state },
        { name: names.orders(), mountPath: agentPlaces.orders, readOnly: true },
        ...wrapped.map((_, index) => ({ name: names.orders(index), mountPath: ordersPlace(index) })),
        ...prepared.map(({ volume, orders }) => ({ name: volume, mountPath: orders.path })),
      ],
    },
    volumes: [
      { name: names.program, emptyDir: {} },
      { name: names.state, emptyDir: {} },
      { name: names.orders(), secret: secretOf(groupOrders(scope)) },
      ...wrapped.map(({ orders }, index) => ({ name: names.orders(index), secret: secretOf(orders) })),
    ],
  };
}

const ordersPlace = (index: number): string => `${agentPlaces.otherOrders}/${index}`;

function groupOrders({ pod, access, wrapped, prepared, hostname }: InstallScope): GroupOrders {
  const containers = wrapped.map(({ orders, uid }, index): StateFolder => ({
    name: orders.container,
    ...(uid !== undefined && { uid }),
    orders: ordersPlace(index),
  }));
  const hosts = hostAliases(pod);
  return {
    ...ordersHeader(pod, access),
    kind: 'group',
    containers,
    ...(prepared.length > 0 && { volumes: prepared.map(({ orders }) => orders) }),
    ...(hosts.length > 0 && { hosts }),
    ...(hostname !== undefined && { hostname }),
  };
}

function hostAliases({ rawSpec }: Pod): readonly HostAlias[] {
  return objectsAt(rawSpec, 'hostAliases').flatMap((alias) => {
    const names = alias['hostnames'];
    const hostnames = Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
    return hostnames.length === 0 ? [] : [{ ip: textAt(alias, 'ip'), hostnames }];
  });
}

const installCommand = (delivery: AgentDelivery): { readonly image: string; readonly command: readonly string[] } => ({
  image: delivery.image,
  command:
    delivery.kind === 'image'
      ? [imageProgram, 'install']
      : downloadCommand({ url: delivery.url, sha256: delivery.sha256, folder: agentPlaces.program }),
});
