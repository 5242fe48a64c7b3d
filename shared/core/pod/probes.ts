import type { GroupProbe } from '../group/group.ts';
import type { Container, Probe } from '../kubernetes/pod.ts';

interface WithPorts {
  readonly ports: readonly { readonly name?: string | null | undefined; readonly containerPort: number }[];
}

/** The number of a port that a probe names; undefined: the container has none of that name. */
export function probedPort({ ports }: WithPorts, port: number | string): number | undefined {
  if (typeof port === 'number') return port;
  return ports.find(({ name }) => name === port)?.containerPort;
}

const timesOf = ({
  initialDelaySeconds,
  periodSeconds,
  timeoutSeconds,
  successThreshold,
  failureThreshold,
}: Probe) => ({
  initialDelaySeconds,
  periodSeconds,
  timeoutSeconds,
  successThreshold,
  failureThreshold,
});

/**
 * A container's liveness probe as ACI runs it: a command in the container, or a GET on localhost of the group. Undefined:
 * there is none, or none that ACI could run, which the rules refuse.
 */
export function groupLivenessProbe(container: Container): GroupProbe | undefined {
  const probe = container.livenessProbe;
  if (probe === undefined) return undefined;
  const { handler } = probe;
  if (handler.kind === 'exec') return { exec: { command: handler.command }, ...timesOf(probe) };
  if (handler.kind !== 'httpGet') return undefined;
  const port = probedPort(container, handler.port);
  if (port === undefined) return undefined;
  const scheme = handler.scheme === 'HTTPS' ? 'https' : 'http';
  return { httpGet: { path: httpPath(handler.path), port, scheme }, ...timesOf(probe) };
}

/** A kubelet asks for `/health` where the spec says `health`. */
export const httpPath = (path: string): string => (path.startsWith('/') ? path : `/${path}`);

/** A command, or a GET at the pod's own port: all that ACI makes. */
function isAcis({ handler, terminationGracePeriodSeconds }: Probe): boolean {
  if (terminationGracePeriodSeconds !== undefined) return false;
  return (
    handler.kind === 'exec' ||
    (handler.kind === 'httpGet' && handler.headers.length === 0 && handler.host === undefined)
  );
}

/** A request at the pod's own address. */
export const isRelays = ({ handler }: Probe): boolean =>
  handler.kind === 'grpc' ||
  ((handler.kind === 'httpGet' || handler.kind === 'tcpSocket') && handler.host === undefined);

/**
 * Whether one of a container's probes has to be made inside the group. Then the agent makes all of them, since a startup
 * probe holds back the others, and nobody else its readiness probe.
 */
export const needsAgentForProbes = ({
  livenessProbe,
  readinessProbe,
  startupProbe,
}: Pick<Container, 'livenessProbe' | 'readinessProbe' | 'startupProbe'>): boolean =>
  startupProbe !== undefined ||
  (livenessProbe !== undefined && !isAcis(livenessProbe)) ||
  (readinessProbe !== undefined && !isRelays(readinessProbe));
