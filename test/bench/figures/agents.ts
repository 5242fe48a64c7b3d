import { join } from 'node:path';
import type { Figure, Section } from '../figure.ts';
import { makeAgent } from '../rig/agent-ground.ts';
import { startAgentCloud } from '../rig/agent-pods.ts';
import type { AgentCloud } from '../rig/agent-pods.ts';
import type { AgentProcess } from '../rig/agents.ts';
import type { Rig } from '../rig/bundles.ts';
import { forEachAtOnce } from '../rig/pods.ts';
import { percentile } from '../statistics.ts';
import { defined } from '../../../shared/core/defined.ts';
import { measureIdleAgent } from './idle-agent.ts';
import { measureIdlePods } from './idle-pods.ts';
import type { Say } from './thousand-pods.ts';

const burst = 100;
const spreadSeconds = 60;
const goal = { atMost: 2 };
const latencyMs = 100;
/** Until what follows a status is done, and in the logs. */
const writtenMs = 2_000;
/** An end that was reported is looked up in ARM within 20 s: until none of those before is. */
const restMs = 25_000;
/** An agent sends a report again that is not answered for 10 s: what takes as long as the goal is not yet. */
const slowness = 5;

/** Real agents, the app as deployed, a thousand pods: from the end of a program to the status, and what idle ones cost. */
export async function measureAgents(rig: Rig, dir: string, say: Say): Promise<readonly Section[]> {
  const program = await makeAgent(join(dir, 'agent'));
  const idle = await measureIdleAgent(dir, program, say);
  const slow = await measureInSlowMotion(rig, join(dir, 'slow'), { program, say });
  const running = await startAgentCloud({ bundles: rig, dir: join(dir, 'real'), knobs: { latencyMs } }, program);
  try {
    const start = async (prefix: string, count: number): Promise<readonly AgentProcess[]> => {
      const started = await running.startPods(prefix, count);
      say(`${count} agents of ${prefix} are heard`);
      return started;
    };
    const [spread, atOnce, [cold]] = await Promise.all([
      start('spread', rig.agents),
      start('burst', burst),
      start('cold', 1),
    ]);
    if (cold === undefined) throw new Error('no agent runs');
    const month = await measureIdlePods(running.cloud, [...spread, ...atOnce, cold], say);
    const figures = [
      ...(await measureSpread(running, spread, say)),
      ...slow,
      ...(await measureBurst(running, atOnce, say)),
      await measureCold(running, cold, say),
    ];
    return [
      {
        title: 'From the end of a program to the status of its pod, with agents',
        method: `${spread.length + burst + 1} agents as plain processes over real HTTP, of pods with a hook, for each of which the app made the key; Azurite, ${latencyMs} ms ARM latency, ARM's real buckets. The end is the agent's own record, the status is heard by a watch. Agents, programs, app and all stand-ins share this machine, which Azure's do not: so the goal of ${burst} ends at once is held to a run in slow motion, in which every clock of the cloud runs ${slowness} times slower and the processor counts for a fifth; the run in real time is beside it.`,
        figures,
      },
      month,
      idle,
    ];
  } finally {
    await running.stop();
  }
}

interface Lags {
  readonly name: string;
  readonly lags: readonly number[];
  readonly goal?: Figure['goal'];
  readonly note: string;
}

const quantiles = ({ name, lags, goal: wanted, note }: Lags): readonly Figure[] => [
  { name: `${name}, p50`, value: percentile(lags, 0.5), unit: 's', note },
  { name: `${name}, p99`, value: percentile(lags, 0.99), unit: 's', ...defined({ goal: wanted }) },
  { name: `${name}, longest`, value: Math.max(...lags), unit: 's' },
];

/** What all parts do meanwhile, divided by the ends that there are. */
async function costOf(
  { cloud }: AgentCloud,
  ends: number,
  work: () => Promise<readonly number[]>,
): Promise<{ readonly lags: readonly number[]; readonly note: string }> {
  await cloud.cluster.forget();
  const [tables, processor] = [cloud.tables.requests(), await cloud.processorSeconds()];
  const lags = await work();
  // The tables' log comes late, and there is work behind the status.
  await cloud.time.pause(writtenMs);
  const used = await cloud.processorSeconds();
  const nodes = (await cloud.cluster.requests()).filter(({ user }) => user.startsWith('system:node:')).length;
  const each = (value: number): string => (value / ends).toFixed(1);
  const processors = Object.entries(used)
    .map(([part, seconds]) => `${part} ${(seconds - (processor[part] ?? 0)).toFixed(1)}`)
    .join(', ');
  const note = `for each end ${each(cloud.tables.requests() - tables)} requests to Table storage and ${each(nodes)} to the API server as the node, those of timers and polls included; processor seconds used: ${processors}`;
  return { lags, note };
}

async function measureSpread(
  running: AgentCloud,
  agents: readonly AgentProcess[],
  say: Say,
): Promise<readonly Figure[]> {
  say(`${agents.length} programs end within ${spreadSeconds} s`);
  const found = await costOf(running, agents.length, async () => {
    await forEachAtOnce([...agents.entries()], 4, ([index, one]) =>
      one.endAfter(1 + (spreadSeconds * index) / agents.length),
    );
    await running.cloud.time.pause(spreadSeconds * 1000);
    return running.lagsOf(agents);
  });
  return quantiles({ name: `${agents.length} ends within ${spreadSeconds} s`, goal, ...found });
}

/** All end a moment after the last of them was told so; that moment in seconds of this machine. */
async function endAtOnce(running: AgentCloud, agents: readonly AgentProcess[]): Promise<Omit<Lags, 'name'>> {
  const startMs = performance.now();
  const { lags, note } = await costOf(running, agents.length, async () => {
    await forEachAtOnce(agents, 4, (one) => one.endAfter(Math.max(0, 2 - (performance.now() - startMs) / 1000)));
    await new Promise((resolve) => setTimeout(resolve, 2500));
    return running.lagsOf(agents);
  });
  const ends = agents.flatMap((one) => one.finishedAtMs() ?? []);
  const within = (Math.max(...ends) - Math.min(...ends)) / 1000 / running.cloud.time.slowness;
  return { lags, note: `all within ${within.toFixed(2)} s; ${note}` };
}

async function measureInSlowMotion(
  bundles: Rig,
  dir: string,
  { program, say }: { readonly program: string; readonly say: Say },
): Promise<readonly Figure[]> {
  const knobs = { latencyMs, timingsScale: 0.1 };
  const running = await startAgentCloud({ bundles, dir, slowness, knobs }, program);
  try {
    const agents = await running.startPods('slow', burst);
    await running.cloud.time.pause(3000);
    say(`${burst} programs end at once, in slow motion`);
    return quantiles({ name: `${burst} ends at once, in slow motion`, goal, ...(await endAtOnce(running, agents)) });
  } finally {
    await running.stop();
  }
}

async function measureBurst(
  running: AgentCloud,
  agents: readonly AgentProcess[],
  say: Say,
): Promise<readonly Figure[]> {
  await running.cloud.time.pause(restMs);
  say(`${burst} programs end at once`);
  return quantiles({ name: `${burst} ends at once, in real time`, ...(await endAtOnce(running, agents)) });
}

async function measureCold(running: AgentCloud, one: AgentProcess, say: Say): Promise<Figure> {
  await running.cloud.time.pause(restMs);
  say('every process of the app is killed, and a program ends');
  await running.cloud.host.killAll();
  await one.endAfter(0);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const [lag] = await running.lagsOf([one]);
  return {
    name: 'one end while no process of the app runs',
    value: lag,
    unit: 's',
    note: "every process of the app is killed in the same moment; the host's start of a process is in it, what Azure needs for an instance is not",
  };
}
