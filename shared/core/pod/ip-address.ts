import type { GroupBody, GroupPort } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { isSpot } from './annotations/placed.ts';
import { wishesOf } from './annotations/read-wishes.ts';
import type { InspectionFacts, Notice } from './translation.ts';

export interface GroupAddress {
  readonly ipAddress?: NonNullable<GroupBody['ipAddress']>;
  /** Those that are declared, in the order of `spec.containers`. */
  readonly ports: readonly (readonly GroupPort[])[];
  readonly notices: readonly Notice[];
}

/** ACI wants a port where there is an address (`MissingIpAddressPorts`). Naming one opens nothing by itself; the Azure CLI names the same. */
const unusedPort: GroupPort = { port: 80, protocol: 'TCP' };

/** Of the address of a group (docs/aci.md, Limits of a group). */
const maxPorts = 5;

/** What ACI keeps for itself (docs/aci.md, Limits of a group). */
const reserved: readonly (readonly [from: number, to: number])[] = [
  [22, 22],
  [1025, 1027],
  [3389, 3399],
  [9999, 9999],
  [19000, 19000],
  [19080, 19080],
  [19100, 19100],
  [19390, 19390],
  [20000, 30000],
  [49152, 65534],
];

const isReserved = (port: number): boolean => reserved.some(([from, to]) => port >= from && port <= to);

/** A port as the spec names it. */
interface NamedPort {
  readonly container: number;
  readonly path: string;
  readonly port: number;
  readonly protocol: string;
}

const namedPorts = (pod: Pod): readonly NamedPort[] =>
  pod.spec.containers.flatMap((container, index) =>
    container.ports.map(({ containerPort, protocol }, at) => ({
      container: index,
      path: `spec.containers[${index}].ports[${at}]`,
      port: containerPort,
      protocol,
    })),
  );

interface Declared extends GroupPort {
  readonly container: number;
}

/** Why ACI is not reported a port; undefined: it can be. The same port of the same container once more is no news. */
function whyNot(named: NamedPort, declared: readonly Declared[]): string | undefined {
  const { port, protocol } = named;
  if (protocol !== 'TCP' && protocol !== 'UDP') return `ACI declares TCP and UDP only, not ${protocol}`;
  if (isReserved(port)) return `ACI keeps port ${port} for itself`;
  const same = declared.find((one) => one.port === port);
  if (same !== undefined)
    return same.protocol === protocol
      ? `port ${port} is declared already`
      : `port ${port} is declared for ${same.protocol}`;
  return declared.length >= maxPorts ? `the address of a group declares ${maxPorts} ports` : undefined;
}

const isRepeated = (named: NamedPort, declared: readonly Declared[]): boolean =>
  declared.some(
    ({ container, port, protocol }) =>
      container === named.container && port === named.port && protocol === named.protocol,
  );

interface Choice {
  readonly declared: readonly Declared[];
  readonly others: readonly string[];
}

function choose(named: readonly NamedPort[]): Choice {
  const declared: Declared[] = [];
  const others: string[] = [];
  for (const one of named) {
    if (isRepeated(one, declared)) continue;
    const why = whyNot(one, declared);
    const protocol = one.protocol === 'UDP' ? 'UDP' : 'TCP';
    if (why === undefined) declared.push({ container: one.container, port: one.port, protocol });
    else others.push(`${one.path}: ${why}`);
  }
  return { declared, others };
}

/** Whether ACI can be reported a port of the pod: a public address opens what it declares. */
export const declaresPort = (pod: Pod): boolean => choose(namedPorts(pod)).declared.length > 0;

const unreachable: Notice = {
  reason: 'PortsUnreachable',
  message:
    'spec.containers[*].ports: the pod is in no subnet, so it gets no address and its ports can not be reached; a public address would show it to the Internet',
};

const notDeclared = (others: readonly string[], effect: string): readonly Notice[] =>
  others.length === 0
    ? []
    : [{ reason: 'PortsNotDeclared', message: `${others.join('; ')}: not declared to ACI; ${effect}` }];

const reachedInSubnet = "in the subnet a port is reached at the pod's address whether it is declared or not";
const closed = 'it can not be reached at the public address';

/**
 * In a subnet every pod has a private address, as Kubernetes expects; without one a pod has none, unless an annotation asks
 * for a public one by its name (`dnsNameLabel`). ACI is reported as many of the ports as it takes: the address is one of the
 * virtual network's, and network security groups, not ACI, decide what reaches it (inferred: docs/aci.md, Limits of a group).
 */
export function groupAddress(pod: Pod, facts: Pick<InspectionFacts, 'subnetId'>): GroupAddress {
  const named = namedPorts(pod);
  const none = pod.spec.containers.map(() => []);
  const wishes = wishesOf(pod.metadata.annotations);
  const { dnsNameLabel } = wishes;
  const isPublic = facts.subnetId === undefined && dnsNameLabel !== undefined && !isSpot(wishes);
  if (facts.subnetId === undefined && !isPublic) return { ports: none, notices: named.length > 0 ? [unreachable] : [] };
  const { declared, others } = choose(named);
  const all = declared.length > 0 || isPublic ? declared : [{ ...unusedPort, container: 0 }];
  const ports = pod.spec.containers.map((_, index) =>
    all.filter(({ container }) => container === index).map(({ port, protocol }) => ({ port, protocol })),
  );
  return {
    ipAddress: isPublic
      ? { type: 'Public', ports: ports.flat(), dnsNameLabel }
      : { type: 'Private', ports: ports.flat() },
    ports,
    notices: notDeclared(others, isPublic ? closed : reachedInSubnet),
  };
}
