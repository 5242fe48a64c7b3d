import * as z from 'zod';
import type { Probe, ProbeHandler } from '../core/kubernetes/pod.ts';

const port = z.union([z.number(), z.string()]);

const raw = z.object({
  exec: z.object({ command: z.array(z.string()).default([]) }).nullish(),
  httpGet: z
    .object({
      path: z.string().default('/'),
      port,
      scheme: z.string().default('HTTP'),
      httpHeaders: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
    })
    .nullish(),
  tcpSocket: z.object({ port }).nullish(),
  grpc: z.object({ port: z.number(), service: z.string().nullish() }).nullish(),
  initialDelaySeconds: z.number().default(0),
  periodSeconds: z.number().default(10),
  timeoutSeconds: z.number().default(1),
  successThreshold: z.number().default(1),
  failureThreshold: z.number().default(3),
});

function handlerOf({ exec, httpGet, tcpSocket, grpc }: z.output<typeof raw>): ProbeHandler {
  if (exec) return { kind: 'exec', command: exec.command };
  if (httpGet) {
    const { path, port, scheme, httpHeaders } = httpGet;
    return { kind: 'httpGet', path, port, scheme: scheme === 'HTTPS' ? 'HTTPS' : 'HTTP', headers: httpHeaders ?? [] };
  }
  if (tcpSocket) return { kind: 'tcpSocket', port: tcpSocket.port };
  if (grpc) return { kind: 'grpc', port: grpc.port, service: grpc.service ?? '' };
  return { kind: 'other' };
}

/** A probe of a container (core/v1 `Probe`), with the defaults of the API reference. */
export const probe = raw.transform((parsed): Probe => {
  const { initialDelaySeconds, periodSeconds, timeoutSeconds, successThreshold, failureThreshold } = parsed;
  const times = { initialDelaySeconds, periodSeconds, timeoutSeconds, successThreshold, failureThreshold };
  return { handler: handlerOf(parsed), ...times };
});
