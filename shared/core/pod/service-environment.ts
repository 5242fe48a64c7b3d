import { hostPort } from '../host-port.ts';
import type { ServiceInfo } from '../kubernetes/references.ts';
import type { NodeFacts } from './translation.ts';

export interface ServiceScope {
  readonly namespace: string;
  readonly enableServiceLinks: boolean;
  /** Takes the place of `default/kubernetes`. */
  readonly apiServer: NodeFacts['apiServer'];
}

type Entry = readonly [name: string, value: string];

const envName = (service: string): string => service.toUpperCase().replaceAll('-', '_');

/** The variables that Docker's links had: `DB_PORT`, `DB_PORT_5432_TCP_ADDR`, … */
function linkVariables(prefix: string, service: ServiceInfo): readonly Entry[] {
  return service.ports.flatMap(({ port, protocol }, index): readonly Entry[] => {
    const url = `${protocol.toLowerCase()}://${hostPort(service.clusterIP, port)}`;
    const portPrefix = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
    const first: readonly Entry[] = index === 0 ? [[`${prefix}_PORT`, url]] : [];
    return [
      ...first,
      [portPrefix, url],
      [`${portPrefix}_PROTO`, protocol.toLowerCase()],
      [`${portPrefix}_PORT`, String(port)],
      [`${portPrefix}_ADDR`, service.clusterIP],
    ];
  });
}

function serviceVariables(service: ServiceInfo): readonly Entry[] {
  const prefix = envName(service.name);
  const first = service.ports[0];
  if (first === undefined) return [];
  const named = service.ports.flatMap(({ name, port }): readonly Entry[] =>
    name === undefined || name === '' ? [] : [[`${prefix}_SERVICE_PORT_${envName(name)}`, String(port)]],
  );
  return [
    [`${prefix}_SERVICE_HOST`, service.clusterIP],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...named,
    ...linkVariables(prefix, service),
  ];
}

const isApiService = (service: ServiceInfo): boolean =>
  service.namespace === 'default' && service.name === 'kubernetes';

const hasClusterIp = (service: ServiceInfo): boolean => service.clusterIP !== '' && service.clusterIP !== 'None';

/** As the kubelet picks them: those of the namespace when links are wanted, and `default/kubernetes` always. */
function visibleServices(services: readonly ServiceInfo[], scope: ServiceScope): readonly ServiceInfo[] {
  const linked = scope.enableServiceLinks ? services.filter((service) => service.namespace === scope.namespace) : [];
  const own = linked.filter((service) => !isApiService(service));
  const api =
    scope.apiServer === undefined
      ? services.filter(isApiService).slice(0, 1)
      : [
          {
            name: 'kubernetes',
            namespace: 'default',
            clusterIP: scope.apiServer.host,
            ports: [{ name: 'https', port: scope.apiServer.port, protocol: 'TCP' }],
          },
        ];
  const names = new Set(own.map((service) => service.name));
  return [...own, ...api.filter((service) => !names.has(service.name))].filter(hasClusterIp);
}

/** Service variables by name, sorted (upstream: `pkg/kubelet/envvars`). */
export function serviceEnvironment(services: readonly ServiceInfo[], scope: ServiceScope): ReadonlyMap<string, string> {
  const entries = visibleServices(services, scope).flatMap(serviceVariables);
  return new Map([...entries].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)));
}
