import type { Container, Hook, Probe, ProbeHandler } from '../kubernetes/pod.ts';
import { httpPath, probedPort } from '../pod/probes.ts';
import type { Handler, ProbeOrders } from './orders.ts';

type Request = Extract<ProbeHandler, { readonly kind: 'httpGet' }>;

/** Undefined: the container has no port of that name, which the rules refuse. */
function requestOf(container: Container, { path, port: named, scheme, headers, host }: Request): Handler | undefined {
  const port = probedPort(container, named);
  if (port === undefined) return undefined;
  return {
    httpGet: {
      path: httpPath(path),
      port,
      scheme,
      ...(host !== undefined && { host }),
      ...(headers.length > 0 && { httpHeaders: headers }),
    },
  };
}

function handlerOf(container: Container, handler: ProbeHandler): Handler | undefined {
  switch (handler.kind) {
    case 'exec':
      return { exec: { command: handler.command } };
    case 'httpGet':
      return requestOf(container, handler);
    case 'tcpSocket': {
      const port = probedPort(container, handler.port);
      return port === undefined
        ? undefined
        : { tcpSocket: { port, ...(handler.host !== undefined && { host: handler.host }) } };
    }
    case 'grpc': {
      const { port, service } = handler;
      return { grpc: { port, ...(service !== '' && { service }) } };
    }
    case 'other':
      return undefined;
  }
}

/** A probe as the agent makes it; undefined: there is none. */
export function probeOrders(container: Container, probe: Probe | undefined): ProbeOrders | undefined {
  if (probe === undefined) return undefined;
  const { handler, ...times } = probe;
  const asked = handlerOf(container, handler);
  return asked && { ...asked, ...times };
}

/** A hook as the agent runs it; undefined: there is none. */
export function hookOrders(container: Container, hook: Hook | undefined): Handler | undefined {
  switch (hook?.kind) {
    case undefined:
    case 'other':
      return undefined;
    case 'exec':
      return { exec: { command: hook.command } };
    case 'httpGet':
      return requestOf(container, hook);
    case 'sleep':
      return { sleep: { seconds: hook.seconds } };
  }
}
