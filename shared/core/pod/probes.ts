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
  // A kubelet asks for `/health` where the spec says `health`.
  const path = handler.path.startsWith('/') ? handler.path : `/${handler.path}`;
  return { httpGet: { path, port, scheme }, ...timesOf(probe) };
}
