import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ProbeOrders } from '../../../shared/core/agent/orders.ts';
import type { Section } from '../figure.ts';
import { createAgents } from '../rig/agents.ts';
import type { AgentWanted } from '../rig/agents.ts';
import { memoryOf, processorMs } from '../rig/process-cost.ts';
import { median } from '../statistics.ts';
import type { Say } from './thousand-pods.ts';

const agentCount = 10;
const settledMs = 25_000;
const idleMs = 60_000;

/** Agents with three httpGet probes each, and an app that answers all reports: what they use, and how often they speak. */
export async function measureIdleAgent(dir: string, agent: string, say: Say): Promise<Section> {
  let [reports, probes] = [0, 0];
  const server = createServer((request, response) => {
    if (request.method === 'POST') reports += 1;
    else probes += 1;
    request.resume().on('end', () => response.writeHead(request.method === 'POST' ? 204 : 200).end());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = isPlace(address) ? address.port : 0;
  const agents = createAgents(join(dir, 'idle'), agent);
  try {
    const wanted = Array.from({ length: agentCount }, (_, index) => probed(index, port));
    const running = await agents.start(wanted);
    await pause(settledMs);
    say(`${agentCount} agents idle for ${idleMs / 1000} s`);
    const [used, said, asked] = [running.map(({ pid }) => processorMs(pid)), reports, probes];
    await pause(idleMs);
    const shares = running.map(({ pid }, index) => ((processorMs(pid) - (used[index] ?? 0)) / idleMs) * 100);
    const memory = running.flatMap(({ pid }) => memoryOf(pid) ?? []);
    const hours = idleMs / 3_600_000;
    return {
      title: 'An idle agent',
      method: `${agentCount} agents as plain processes, each with a startup, a liveness and a readiness probe (httpGet, every 10 s; the first is over when it has succeeded), for ${idleMs / 1000} s; ${((probes - asked) / agentCount).toFixed(0)} probes of each. Processor time is the kernel's account of its threads.`,
      figures: [
        {
          name: 'share of a processor, median',
          value: median(shares),
          unit: '%',
          goal: { atMost: 0.2 },
          note: `at most ${Math.max(...shares).toFixed(3)} %`,
        },
        {
          name: 'resident memory, at most',
          value: Math.max(...memory.map(({ peakMB }) => peakMB)),
          unit: 'MB',
          goal: { atMost: 12 },
          note: `the most that any ever had; its own share of it now, the program's pages being one for all agents here, is ${median(memory.map(({ ownMB }) => ownMB)).toFixed(1)} MB`,
        },
        {
          name: 'requests to the app in an hour',
          value: (reports - said) / agentCount / hours,
          unit: '',
          goal: { exactly: 0 },
          note: `each sent ${(said / agentCount).toFixed(1)} until it was ready`,
        },
      ],
    };
  } finally {
    await agents.stop();
    server.closeAllConnections();
    server.close();
  }
}

const isPlace = (address: AddressInfo | string | null): address is AddressInfo => typeof address === 'object';

function probed(index: number, port: number): AgentWanted {
  const probe: ProbeOrders = {
    httpGet: { path: '/healthz', host: '127.0.0.1', port, scheme: 'HTTP' },
    initialDelaySeconds: 0,
    periodSeconds: 10,
    timeoutSeconds: 1,
    successThreshold: 1,
    failureThreshold: 3,
  };
  const uid = `00000000-0000-4000-8000-00000000000${index}`;
  const url = `http://127.0.0.1:${port}/api/pods/${uid}`;
  return {
    name: `idle-${index}`,
    uid,
    nonce: 'nonce',
    report: {
      url: `${url}/reports`,
      filesUrl: `${url}/files`,
      kid: 'r1',
      key: Buffer.alloc(32, index).toString('base64'),
    },
    supervise: { startupProbe: probe, livenessProbe: probe, readinessProbe: probe },
  };
}
