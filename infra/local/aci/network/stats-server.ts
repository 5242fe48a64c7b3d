import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { RunUsage } from '../group-store.ts';
import { cgroupUsage } from '../runtime/usage/cgroup.ts';
import type { NetworkKnobs } from './knobs.ts';
import { parseInterfaces, statsBody } from './stats-body.ts';

/** A group that has the extension. */
export interface MeasuredGroup {
  /** Of its sandbox. */
  readonly id: string;
  /** A process that holds its network namespace. */
  readonly pid: number;
  readonly usage: () => Promise<readonly RunUsage[]>;
}

/** How the extension of one group answers; `refused`: nothing listens. */
export type StatsAnswer = NetworkKnobs['realtimeMetrics'][number]['answer'] | 'well';

const slowMs = 5000;

/** What the knobs say of a group: the last that names it, by the begin of its sandbox's name, which is the group's own name. */
export const answerOf = (knobs: Pick<NetworkKnobs, 'realtimeMetrics'>, id: string): StatsAnswer =>
  knobs.realtimeMetrics.findLast(({ group }) => group === '*' || id.startsWith(`${group}-`))?.answer ?? 'well';

/**
 * ACI's realtime-metrics of all groups: one server on the bridge's gateway. Each group's own rules bring to it what is
 * sent to port 18899 of the group's address, from the group's address: by that it knows who is asked.
 */
export class StatsServer {
  readonly address: string;
  readonly port: number;
  readonly #server: Server;
  readonly #groups = new Map<string, MeasuredGroup>();
  readonly #knobs: () => NetworkKnobs;

  private constructor(server: Server, address: string, knobs: () => NetworkKnobs) {
    this.#server = server;
    this.#knobs = knobs;
    this.address = address;
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('a TCP server has a port');
    this.port = bound.port;
  }

  static async open(address: string, knobs: () => NetworkKnobs): Promise<StatsServer> {
    const server = createServer((request, response) => void opened.#answer(request, response));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(0, address, resolve);
    await promise;
    const opened: StatsServer = new StatsServer(server, address, knobs);
    return opened;
  }

  set(ip: string, group: MeasuredGroup): void {
    this.#groups.set(ip, group);
  }

  remove(ip: string): void {
    this.#groups.delete(ip);
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  async #answer({ url, socket }: IncomingMessage, response: ServerResponse): Promise<void> {
    const group = this.#groups.get(socket.remoteAddress?.replace(/^::ffff:/, '') ?? '');
    if (group === undefined || url !== '/v1/stats') return end(response, 404, 'not found');
    switch (answerOf(this.#knobs(), group.id)) {
      case 'silent':
      case 'refused':
        return;
      case 'garbage':
        return end(response, 200, '<html><body>metrics</body></html>');
      case 'slow':
        setTimeout(() => void this.#show(group, response), slowMs).unref();
        return;
      case 'without-first':
        return this.#show(group, response, 1);
      case 'well':
        return this.#show(group, response);
    }
  }

  async #show({ pid, usage }: MeasuredGroup, response: ServerResponse, from = 0): Promise<void> {
    const [used, platform, interfaces] = await Promise.all([
      usage(),
      cgroupUsage(pid),
      readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => ''),
    ]);
    const containers = used.slice(from);
    const body = statsBody({ now: Date.now(), containers, platform, interfaces: parseInterfaces(interfaces) });
    response.setHeader('content-type', 'application/json');
    end(response, 200, JSON.stringify(body));
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status);
  response.end(text);
}
