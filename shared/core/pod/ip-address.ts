import type { GroupBody, GroupPort } from '../group/group.ts';
import type { Container, Pod } from '../kubernetes/pod.ts';
import type { InspectionFacts, Notice } from './translation.ts';

export interface GroupAddress {
  readonly ipAddress?: NonNullable<GroupBody['ipAddress']>;
  /** In the order of `spec.containers`. */
  readonly ports: readonly (readonly GroupPort[])[];
  readonly notices: readonly Notice[];
}

/** ACI wants a port where there is an address (`MissingIpAddressPorts`). Naming one opens nothing by itself; the Azure CLI names the same. */
const unusedPort: GroupPort = { port: 80, protocol: 'TCP' };

const portKey = ({ port, protocol }: GroupPort): string => `${port}/${protocol}`;

/** The ports of one container, each once. */
export function containerPorts(container: Container): readonly GroupPort[] {
  const ports = container.ports.map(({ containerPort, protocol }): GroupPort => ({
    port: containerPort,
    protocol: protocol === 'UDP' ? 'UDP' : 'TCP',
  }));
  return [...new Map(ports.map((port) => [portKey(port), port])).values()];
}

const unreachable: Notice = {
  reason: 'PortsUnreachable',
  message:
    'spec.containers[*].ports: the node has no subnet, so the pod gets no address and its ports can not be reached; a public address would show it to the Internet',
};

/** In a subnet every pod has a private address, as Kubernetes expects; without one a pod has none. */
export function groupAddress(pod: Pod, facts: Pick<InspectionFacts, 'subnetId'>): GroupAddress {
  const named = pod.spec.containers.map(containerPorts);
  const any = named.some((ports) => ports.length > 0);
  if (facts.subnetId === undefined) return { ports: named.map(() => []), notices: any ? [unreachable] : [] };
  const ports = any ? named : named.map((_, index) => (index === 0 ? [unusedPort] : []));
  const all = new Map(ports.flat().map((port) => [portKey(port), port]));
  return { ipAddress: { type: 'Private', ports: [...all.values()] }, ports, notices: [] };
}
