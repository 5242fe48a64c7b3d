import { containerPorts, groupAddress } from '../ip-address.ts';
import { refuse } from '../outcome.ts';
import type { Rule } from './rule.ts';

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

/** Ports count only where the group has an address. */
export const portsRule: Rule = (pod, facts) => {
  const { ipAddress, notices } = groupAddress(pod, facts);
  if (ipAddress === undefined) return notices;
  const count = ipAddress.ports.length;
  const ports = pod.spec.containers.flatMap((container, index) =>
    container.ports.map(({ containerPort }, at) => ({
      containerPort,
      path: `spec.containers[${index}].ports[${at}].containerPort`,
    })),
  );
  return [
    ...(count > maxPorts
      ? [refuse('spec.containers[*].ports', `${count} ports; the address of a group takes ${maxPorts}`)]
      : []),
    ...ports
      .filter(({ containerPort }) => isReserved(containerPort))
      .map(({ containerPort, path }) => refuse(path, `ACI keeps port ${containerPort} for itself`)),
  ];
};

/** The containers of a group share one network, so that no two can listen on one port. */
export const sharedPortsRule: Rule = ({ spec }) => {
  const owners = new Map<string, number>();
  return spec.containers.flatMap((container, index) =>
    containerPorts(container).flatMap(({ port, protocol }) => {
      const key = `${port}/${protocol}`;
      const owner = owners.get(key);
      owners.set(key, owner ?? index);
      return owner === undefined
        ? []
        : [
            refuse(
              `spec.containers[${index}].ports`,
              `container ${spec.containers[owner]?.name} has port ${key} already`,
            ),
          ];
    }),
  );
};
