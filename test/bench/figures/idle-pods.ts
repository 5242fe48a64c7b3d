import type { Section } from '../figure.ts';
import { instanceGb, monthOf } from '../price.ts';
import type { AgentProcess } from '../rig/agents.ts';
import type { Cloud } from '../rig/cloud.ts';
import { sampleExecutions, spreadOf } from '../rig/executions.ts';
import { memoryOf, processorMs } from '../rig/process-cost.ts';
import { median } from '../statistics.ts';
import type { Say } from './thousand-pods.ts';

/** A pod that runs for a while is polled every 75 s: until all are, and a time in which each is polled once. */
const settledMs = 75_000;
const idleMs = 75_000;

/** Pods whose agents have nothing to say: what the app does for them all the same, a month long. */
export async function measureIdlePods(cloud: Cloud, agents: readonly AgentProcess[], say: Say): Promise<Section> {
  await cloud.time.pause(settledMs);
  say(`${agents.length} pods idle for ${idleMs / 1000} s`);
  const [usedMs, fromMs] = [agents.map(({ pid }) => processorMs(pid)), performance.now()];
  const { durationsMs, seconds, counts, seen } = await sampleExecutions(cloud, idleMs);
  const [toMs, elapsedMs] = [Date.now(), performance.now() - fromMs];
  const shares = agents.map(({ pid }, index) => ((processorMs(pid) - (usedMs[index] ?? 0)) / elapsedMs) * 100);
  const memory = agents.flatMap(({ pid }) => memoryOf(pid) ?? []);
  const reads = (await cloud.arm.requests()).filter(
    ({ method, group, atMs }) =>
      method === 'GET' && group !== undefined && atMs > toMs - seconds * 1000 && atMs <= toMs,
  ).length;
  const month = monthOf(durationsMs, seconds, instanceGb);
  const together = memory.reduce((total, { ownMB }) => total + ownMB, 0);
  return {
    title: 'A month of idle pods with agents',
    method: `${agents.length} pods with agents that have nothing to say, for ${Math.round(seconds)} s; relay and timers running, priced as an idle month. ARM's reads cost nothing; the groups themselves are not in it.`,
    figures: [
      { name: 'reports', value: counts['pod-reports'] ?? 0, unit: '', goal: { exactly: 0 } },
      {
        name: 'ARM reads per pod and minute',
        value: reads / agents.length / (seconds / 60),
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
        note: `at most ${Math.max(...memory.map(({ peakMB }) => peakMB)).toFixed(1)} MB; all ${memory.length} together ${together.toFixed(0)} MB, with what they share once`,
      },
      { name: 'share of a processor of an agent without probes, median', value: median(shares), unit: '%' },
    ],
  };
}
