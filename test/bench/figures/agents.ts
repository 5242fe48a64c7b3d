import { join } from 'node:path';
import { agentAccess } from '../../../shared/core/agent/access.ts';
import { readAgentTags } from '../../../shared/core/agent/agent-tags.ts';
import { groupOwner } from '../../../shared/core/group/identity.ts';
import type { Figure, Section } from '../figure.ts';
import { instanceGb, monthOf } from '../price.ts';
import { agentGround, makeAgent } from '../rig/agent-ground.ts';
import type { AgentGround } from '../rig/agent-ground.ts';
import { createAgents } from '../rig/agents.ts';
import type { AgentProcess, Agents, AgentWanted } from '../rig/agents.ts';
import type { Rig } from '../rig/bundles.ts';
import { startCloud } from '../rig/cloud.ts';
import type { Cloud } from '../rig/cloud.ts';
import type { PodNews } from '../rig/cluster.ts';
import { sampleExecutions, spreadOf } from '../rig/executions.ts';
import { forEachAtOnce, podManifest } from '../rig/pods.ts';
import { memoryOf, processorMs } from '../rig/process-cost.ts';
import { median, percentile } from '../statistics.ts';
import { measureIdleAgent } from './idle-agent.ts';
import type { Say } from './thousand-pods.ts';

const burst = 100;
const exitCode = 3;
const spreadSeconds = 60;
const lagGoalSeconds = 2;
const readyWithinMs = 300_000;
/** Whatever is not reported by then has not been, but by a poll. */
const reportedWithinMs = 30_000;
/** A settled pod is polled every 75 s: the time from its start on, and that in which each is polled once. */
const settledMs = 75_000;
const idleMs = 75_000;

/** Real agents, the app as deployed, a thousand pods: from the end of a program to the status, and what idle ones cost. */
export async function measureAgents(rig: Rig, dir: string, say: Say): Promise<readonly Section[]> {
  const agent = await makeAgent(join(dir, 'agent'));
  const idle = await measureIdleAgent(dir, agent, say);
  const ground = await agentGround();
  const cloud = await startCloud({ bundles: rig, dir, knobs: { latencyMs: 100 }, agent: ground });
  const agents = createAgents(join(dir, 'agents'), agent);
  try {
    const pods: Pods = { cloud, agents, ground, say };
    const spread = await startPods(pods, 'spread', rig.agents);
    const atOnce = await startPods(pods, 'burst', burst);
    const [cold] = await startPods(pods, 'cold', 1);
    if (cold === undefined) throw new Error('no agent runs');
    const month = await measureMonth(cloud, [...spread, ...atOnce, cold], say);
    const lags = [
      ...(await measureSpread(pods, spread)),
      ...(await measureBurst(pods, atOnce)),
      await measureCold(pods, cold),
    ];
    return [
      {
        title: 'From the end of a program to the status of its pod, with agents',
        method: `${spread.length + burst + 1} agents as plain processes over real HTTP, of pods with a hook; real time, Azurite, 100 ms ARM latency, ARM's real buckets. The end is the agent's own record, the status is heard by a watch. Agents, programs, app and all stand-ins share this machine.`,
        figures: lags,
      },
      month,
      idle,
    ];
  } finally {
    await agents.stop();
    await cloud.stop();
  }
}

interface Pods {
  readonly cloud: Cloud;
  readonly agents: Agents;
  readonly ground: AgentGround;
  readonly say: Say;
}

/** Pods whose groups run and whose agents have reported: the app made group, key and row. */
async function startPods(
  { cloud, agents, ground, say }: Pods,
  prefix: string,
  count: number,
): Promise<readonly AgentProcess[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  await forEachAtOnce(names, 8, async (name) => {
    await cloud.cluster.createPod(podManifest(name, { restartPolicy: 'Never', hasAgent: true }));
  });
  const isSo = (wanted: (pod: PodNews) => boolean, withinMs: number): Promise<boolean> =>
    cloud.time.waitUntil(() => latest(cloud, prefix).filter(wanted).length === count, { withinMs, everyMs: 500 });
  if (!(await isSo(({ phase }) => phase === 'Running', readyWithinMs))) throw new Error(`not all of ${prefix} run`);
  const groups = await wantedAgents(cloud, ground, prefix);
  say(`${groups.size} pods of ${prefix} run; their agents are started`);
  const running = await agents.start([...groups.values()]);
  for (const one of running) endInCloud(cloud, groups, one);
  if (!(await isSo(({ isReady }) => isReady, readyWithinMs))) throw new Error(`not all of ${prefix} are ready`);
  say(`${count} agents of ${prefix} are heard`);
  return running;
}

/** When an agent has gone, process 1 of its container has. */
function endInCloud(cloud: Cloud, groups: ReadonlyMap<string, AgentWanted>, { uid, exited }: AgentProcess): void {
  const group = [...groups].find(([, wanted]) => wanted.uid === uid)?.[0];
  if (group !== undefined)
    void exited.then(() => cloud.arm.end(group, exitCode)).catch(() => undefined /* the cloud is being stopped */);
}

/** By group; what the app wrote into the orders of its container. */
async function wantedAgents(
  cloud: Cloud,
  { appUrl, keys }: AgentGround,
  prefix: string,
): Promise<ReadonlyMap<string, AgentWanted>> {
  const wanted = (await cloud.arm.groups()).flatMap(({ name: group, tags }): [string, AgentWanted][] => {
    const [owner, key] = [groupOwner(tags), readAgentTags(tags)];
    if (owner === undefined || !owner.name.startsWith(`${prefix}-`)) return [];
    const access = key && agentAccess({ appUrl, keys }, owner.uid, key);
    if (access === undefined) throw new Error(`${owner.name} has no agent in its group`);
    const { reportUrl: url, filesUrl, kid, key: secret, nonce } = access;
    return [[group, { name: owner.name, uid: owner.uid, nonce, report: { url, filesUrl, kid, key: secret } }]];
  });
  return new Map(wanted);
}

/** What the watch has last said of each pod. */
function latest(cloud: Cloud, prefix: string): readonly PodNews[] {
  const last = new Map<string, PodNews>();
  for (const one of cloud.cluster.news()) if (one.name.startsWith(`${prefix}-`)) last.set(one.name, one);
  return [...last.values()];
}

/** Waits until all are reported; from each end to the first news of it, in seconds. One without news counts from now. */
async function lagsOf(cloud: Cloud, ended: readonly AgentProcess[]): Promise<readonly number[]> {
  const uids = new Set(ended.map(({ uid }) => uid));
  const reported = (): Map<string, number> => {
    const first = new Map<string, number>();
    for (const { uid, phase, atMs } of cloud.cluster.news())
      if (uids.has(uid) && phase === 'Failed' && !first.has(uid)) first.set(uid, atMs);
    return first;
  };
  await cloud.time.waitUntil(() => reported().size === ended.length, { withinMs: reportedWithinMs });
  const heard = reported();
  const now = Date.now();
  return ended.map((one) => ((heard.get(one.uid) ?? now) - (one.finishedAtMs() ?? now)) / 1000);
}

const quantiles = (name: string, lags: readonly number[], note: string): readonly Figure[] => [
  { name: `${name}, p50`, value: percentile(lags, 0.5), unit: 's', note },
  { name: `${name}, p99`, value: percentile(lags, 0.99), unit: 's', goal: { atMost: lagGoalSeconds } },
  { name: `${name}, longest`, value: Math.max(...lags), unit: 's' },
];

async function measureSpread({ cloud, say }: Pods, running: readonly AgentProcess[]): Promise<readonly Figure[]> {
  say(`${running.length} programs end within ${spreadSeconds} s`);
  await cloud.cluster.forget();
  const [tables, processor] = [cloud.tables.requests(), await cloud.processorSeconds()];
  await forEachAtOnce([...running.entries()], 4, ([index, one]) =>
    one.endAfter(1 + (spreadSeconds * index) / running.length),
  );
  await cloud.time.pause(spreadSeconds * 1000);
  const lags = await lagsOf(cloud, running);
  const used = await cloud.processorSeconds();
  const nodes = (await cloud.cluster.requests()).filter(({ user }) => user.startsWith('system:node:')).length;
  const each = (value: number): string => (value / running.length).toFixed(1);
  const processors = Object.entries(used)
    .map(([part, seconds]) => `${part} ${(seconds - (processor[part] ?? 0)).toFixed(0)}`)
    .join(', ');
  const note = `for each end ${each(cloud.tables.requests() - tables)} requests to Table storage and ${each(nodes)} to the API server as the node, those of the timers included; processor seconds used: ${processors}`;
  return quantiles(`${running.length} ends within ${spreadSeconds} s`, lags, note);
}

async function measureBurst({ cloud, say }: Pods, running: readonly AgentProcess[]): Promise<readonly Figure[]> {
  say(`${running.length} programs end at once`);
  await forEachAtOnce(running, 4, (one) => one.endAfter(1));
  const lags = await lagsOf(cloud, running);
  const ends = running.flatMap((one) => one.finishedAtMs() ?? []);
  const within = (Math.max(...ends) - Math.min(...ends)) / 1000;
  return quantiles(`${running.length} ends at once`, lags, `all within ${within.toFixed(2)} s`);
}

async function measureCold({ cloud, say }: Pods, one: AgentProcess): Promise<Figure> {
  say('every process of the app is killed, and a program ends');
  await cloud.host.killAll();
  await one.endAfter(0);
  const [lag] = await lagsOf(cloud, [one]);
  return {
    name: 'one end while no process of the app runs',
    value: lag,
    unit: 's',
    note: "every process of the app is killed in the same moment; the host's start of a process is in it, what Azure needs for an instance is not",
  };
}

async function measureMonth(cloud: Cloud, running: readonly AgentProcess[], say: Say): Promise<Section> {
  await cloud.time.pause(settledMs);
  say(`${running.length} pods idle for ${idleMs / 1000} s`);
  const used = running.map(({ pid }) => processorMs(pid));
  const usedAtMs = performance.now();
  const { durationsMs, seconds, counts, seen } = await sampleExecutions(cloud, idleMs);
  const endMs = Date.now();
  const elapsedMs = performance.now() - usedAtMs;
  const shares = running.map(({ pid }, index) => ((processorMs(pid) - (used[index] ?? 0)) / elapsedMs) * 100);
  const memory = running.flatMap(({ pid }) => memoryOf(pid) ?? []);
  const reads = (await cloud.arm.requests()).filter(
    ({ method, group, atMs }) =>
      method === 'GET' && group !== undefined && atMs > endMs - seconds * 1000 && atMs <= endMs,
  ).length;
  const month = monthOf(durationsMs, seconds, instanceGb);
  return {
    title: 'A month of idle pods with agents',
    method: `${running.length} pods with agents that have nothing to say, for ${Math.round(seconds)} s; relay and timers running; priced as an idle month. ARM's reads cost nothing.`,
    figures: [
      { name: 'reports', value: counts['pod-reports'] ?? 0, unit: '', goal: { exactly: 0 } },
      {
        name: 'ARM reads per pod and minute',
        value: reads / running.length / (seconds / 60),
        unit: '',
        goal: { atMost: 1 },
      },
      {
        name: 'executions',
        value: Math.round(month.executions),
        unit: '',
        note: `seen: ${seen}; ${spreadOf(durationsMs)}`,
      },
      { name: 'GB-seconds', value: Math.round(month.gbSeconds), unit: '' },
      { name: 'beyond the free grant', value: month.usdBeyondGrant, unit: 'USD' },
      { name: 'without the free grant', value: month.usdWithoutGrant, unit: 'USD' },
      {
        name: 'resident memory of an agent, median',
        value: median(memory.map(({ residentMB }) => residentMB)),
        unit: 'MB',
        goal: { atMost: 12 },
        note: `at most ${Math.max(...memory.map(({ peakMB }) => peakMB)).toFixed(1)} MB; all ${memory.length} together ${sum(memory.map(({ ownMB }) => ownMB)).toFixed(0)} MB, shared pages once`,
      },
      { name: 'share of a processor of an agent without probes, median', value: median(shares), unit: '%' },
    ],
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
