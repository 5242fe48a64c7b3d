import { probeGrpc } from './grpc-probe.ts';
import { probeHttp } from './http-probe.ts';
import type { ReadinessTarget } from './targets.ts';
import { probeTcp } from './tcp-probe.ts';

/** Timers can't be longer: a longer one is over at once, or is no timer at all. */
export const longestTimerMs = 2 ** 31 - 1;

/** One probe: undefined when it succeeds, else why not, in a kubelet's words. Ends at its timeout. Never rejects. */
export async function runProbe(target: ReadinessTarget): Promise<string | undefined> {
  try {
    return await run(target);
  } catch (error) {
    // The spec of a pod may hold what can't be sent; nobody's pod ends the relay.
    return error instanceof Error ? error.message : 'the probe could not be made';
  }
}

function run({ address, port, probe }: ReadinessTarget): Promise<string | undefined> {
  const { handler, timeoutSeconds } = probe;
  const endpoint = { address, port, timeoutMs: Math.min(timeoutSeconds * 1000, longestTimerMs) };
  switch (handler.kind) {
    case 'httpGet':
      return probeHttp(endpoint, handler);
    case 'tcpSocket':
      return probeTcp(endpoint);
    case 'grpc':
      return probeGrpc(endpoint, handler.service);
    case 'exec':
    case 'other':
      return Promise.resolve('the relay can not make this probe');
  }
}
