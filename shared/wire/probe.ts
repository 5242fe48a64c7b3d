import * as z from 'zod';
import { defined } from '../core/defined.ts';
import type { Hook, Lifecycle, Probe, ProbeHandler } from '../core/kubernetes/pod.ts';

const port = z.union([z.number(), z.string()]);
const host = z
  .string()
  .nullish()
  .transform((text) => (text === null || text === '' ? undefined : text));

const exec = z.object({ command: z.array(z.string()).default([]) });
const httpGet = z.object({
  path: z.string().default('/'),
  port,
  scheme: z.string().default('HTTP'),
  host,
  httpHeaders: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
});

const raw = z.object({
  exec: exec.nullish(),
  httpGet: httpGet.nullish(),
  tcpSocket: z.object({ port, host }).nullish(),
  grpc: z.object({ port: z.number(), service: z.string().nullish() }).nullish(),
  initialDelaySeconds: z.number().default(0),
  periodSeconds: z.number().default(10),
  timeoutSeconds: z.number().default(1),
  successThreshold: z.number().default(1),
  failureThreshold: z.number().default(3),
  terminationGracePeriodSeconds: z.number().nullish(),
});

function requestOf({
  path,
  port,
  scheme,
  host,
  httpHeaders,
}: z.output<typeof httpGet>): Extract<ProbeHandler, { readonly kind: 'httpGet' }> {
  const headers = httpHeaders ?? [];
  return {
    kind: 'httpGet',
    path,
    port,
    scheme: scheme === 'HTTPS' ? 'HTTPS' : 'HTTP',
    headers,
    ...defined({ host }),
  };
}

function handlerOf({ exec, httpGet, tcpSocket, grpc }: z.output<typeof raw>): ProbeHandler {
  if (exec) return { kind: 'exec', command: exec.command };
  if (httpGet) return requestOf(httpGet);
  if (tcpSocket) return { kind: 'tcpSocket', port: tcpSocket.port, ...defined({ host: tcpSocket.host }) };
  if (grpc) return { kind: 'grpc', port: grpc.port, service: grpc.service ?? '' };
  return { kind: 'other' };
}

/** A probe of a container (core/v1 `Probe`), with the defaults of the API reference. */
export const probe = raw.transform((parsed): Probe => {
  const { initialDelaySeconds, periodSeconds, timeoutSeconds, successThreshold, failureThreshold } = parsed;
  const times = { initialDelaySeconds, periodSeconds, timeoutSeconds, successThreshold, failureThreshold };
  const grace = parsed.terminationGracePeriodSeconds ?? undefined;
  return { handler: handlerOf(parsed), ...times, ...defined({ terminationGracePeriodSeconds: grace }) };
});

const hook = z
  .object({
    exec: exec.nullish(),
    httpGet: httpGet.nullish(),
    sleep: z.object({ seconds: z.number() }).nullish(),
  })
  .transform(({ exec, httpGet, sleep }): Hook => {
    if (exec) return { kind: 'exec', command: exec.command };
    if (httpGet) return requestOf(httpGet);
    return sleep ? { kind: 'sleep', seconds: sleep.seconds } : { kind: 'other' };
  });

/** What a container's `lifecycle` says (core/v1 `Lifecycle`). */
export const lifecycle = z
  .object({ postStart: hook.nullish(), preStop: hook.nullish(), stopSignal: z.string().nullish() })
  .transform(({ postStart, preStop, stopSignal }): Lifecycle => ({
    ...(postStart && { postStart }),
    ...(preStop && { preStop }),
    ...(stopSignal && { stopSignal }),
  }));
