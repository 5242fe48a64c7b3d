import { probeGrpc } from './grpc-probe.ts';
import { probeHttp } from './http-probe.ts';
import type { ReadinessTarget } from './targets.ts';
import { probeTcp } from './tcp-probe.ts';

/** One probe: undefined when it succeeds, else why not, in a kubelet's words. Ends at its timeout. Never rejects. */
export function runProbe({ address, port, probe }: ReadinessTarget): Promise<string | undefined> {
  const { handler, timeoutSeconds } = probe;
  const endpoint = { address, port, timeoutMs: timeoutSeconds * 1000 };
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
