import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { sleep } from './clock.ts';
import type { Clock } from './clock.ts';
import type { RunningContainer } from './runtime/runtime.ts';
import type { ProbeBody } from './wire.ts';

interface HttpProbeTarget {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Gives the status of a GET, or the sentence why there is none. Never rejects. */
export type HttpProbe = (target: HttpProbeTarget, timeoutMs: number) => Promise<number | string>;

/** The probe over real sockets; like a kubelet it does not check certificates. */
export const socketHttpProbe: HttpProbe = (target, timeoutMs) =>
  new Promise((resolve) => {
    const send = target.scheme === 'https' ? httpsRequest : httpRequest;
    const { host, port, path, headers } = target;
    const options = { host, port, path, headers, timeout: timeoutMs, rejectUnauthorized: false, agent: false };
    const request = send(options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('timeout', () => request.destroy(new Error('context deadline exceeded')));
    request.on('error', (error) => resolve(error.message));
    request.end();
  });

export interface ProbeContext {
  readonly clock: Clock;
  readonly container: RunningContainer;
  readonly host: string;
  readonly httpProbe: HttpProbe;
  readonly signal: AbortSignal;
  /** Called with each failure. */
  readonly onFailure: (message: string) => void;
}

/** Resolves with `true` when the probe has failed `failureThreshold` times in a row, with `false` when aborted. */
export async function watchProbe(probe: ProbeBody, context: ProbeContext): Promise<boolean> {
  const { clock, signal } = context;
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  let failures = 0;
  let waiting = await sleep(clock, (probe.initialDelaySeconds ?? 0) * 1000, signal);
  while (waiting) {
    const failure = await runOnce(probe, context);
    if (signal.aborted) return false;
    failures = failure === undefined ? 0 : failures + 1;
    if (failure !== undefined) context.onFailure(failure);
    if (failures >= (probe.failureThreshold ?? 3)) return true;
    waiting = await sleep(clock, periodMs, signal);
  }
  return false;
}

async function runOnce(probe: ProbeBody, context: ProbeContext): Promise<string | undefined> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  if (probe.exec !== undefined) {
    const { exitCode, output } = await context.container.execute(probe.exec.command, timeoutMs);
    return exitCode === 0 ? undefined : output.trim() || `command exited with ${exitCode}`;
  }
  if (probe.httpGet === undefined) return undefined;
  const { path = '/', port, scheme, httpHeaders = [] } = probe.httpGet;
  const target: HttpProbeTarget = {
    scheme: scheme?.toLowerCase() === 'https' ? 'https' : 'http',
    host: context.host,
    port,
    path,
    headers: Object.fromEntries(httpHeaders.map((h) => [h.name, h.value])),
  };
  const answer = await context.httpProbe(target, timeoutMs);
  if (typeof answer === 'string') return answer;
  return answer >= 200 && answer < 400 ? undefined : `HTTP probe failed with statuscode: ${answer}`;
}
