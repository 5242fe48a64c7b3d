import { request as httpRequest } from 'node:http';
import { readAtMost } from '../../../../shared/adapters/kubernetes/read-at-most.ts';
import { responseTo } from '../../../../shared/adapters/kubernetes/response-to.ts';
import { hostPort } from '../../../../shared/core/host-port.ts';
import type { PodReading } from '../../../../shared/core/resource-metrics/pod-usage.ts';
import { parseRealtimeStats } from '../../../../shared/wire/realtime-stats.ts';

/** Of ACI's realtime-metrics (docs/aci.md, Requests). */
export const statsPort = 18_899;
export const statsTimeoutMs = 2_000;
const mostBytes = 65_536;

/**
 * What a pod's address says of its containers; a string: why it says nothing. Whatever listens there may answer: no
 * redirect is followed, no more than 64 KB are read, and it is over after two seconds. Never rejects.
 */
export async function fetchStats(address: string, port = statsPort): Promise<PodReading | string> {
  try {
    return await get(address, port);
  } catch (error) {
    return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'no answer';
  }
}

async function get(host: string, port: number): Promise<PodReading | string> {
  const signal = AbortSignal.timeout(statsTimeoutMs);
  const request = httpRequest({
    host,
    port,
    path: '/v1/stats',
    agent: false,
    headers: { host: hostPort(host, port), accept: 'application/json', connection: 'close' },
  });
  // Without a listener a 101 closes the connection, and nobody hears of it.
  request.on('upgrade', (_response, socket) => socket.destroy());
  const answered = responseTo(request, signal);
  request.end();
  const response = await answered;
  if (response.statusCode !== 200) {
    response.destroy();
    return `HTTP ${response.statusCode}`;
  }
  const body = await readAtMost(response, mostBytes);
  if (body === undefined) return `more than ${mostBytes} bytes`;
  return parseRealtimeStats(body.toString('utf8')) ?? 'an answer that makes no sense';
}
