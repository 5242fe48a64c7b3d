import { agentAccess } from '../../../shared/core/agent/access.ts';
import { readAgentTags } from '../../../shared/core/agent/agent-tags.ts';
import { groupOwner } from '../../../shared/core/group/identity.ts';
import { agentGround } from './agent-ground.ts';
import type { AgentGround } from './agent-ground.ts';
import { createAgents } from './agents.ts';
import type { AgentProcess, AgentWanted } from './agents.ts';
import { startCloud } from './cloud.ts';
import type { Cloud, CloudOptions } from './cloud.ts';
import type { PodNews } from './cluster.ts';
import { forEachAtOnce, podManifest } from './pods.ts';

/** A cloud whose pods have real agents, as plain processes of this machine. */
export interface AgentCloud {
  readonly cloud: Cloud;
  /** Pods whose groups run and whose agents the app has heard: it made group, key and row, and they are ready. */
  startPods(prefix: string, count: number): Promise<readonly AgentProcess[]>;
  /** Waits until all ends are reported; from each to the first news of it, in s of the cloud. One without news counts from now. */
  lagsOf(ended: readonly AgentProcess[]): Promise<readonly number[]>;
  stop(): Promise<void>;
}

const exitCode = 3;
const readyWithinMs = 600_000;
/** What is not reported by then was not, or by a poll. */
const reportedWithinMs = 30_000;

/** `program`: the agent. */
export async function startAgentCloud(options: Omit<CloudOptions, 'agent'>, program: string): Promise<AgentCloud> {
  const ground = await agentGround();
  const cloud = await startCloud({ ...options, agent: ground });
  const agents = createAgents(`${options.dir}/agents`, program);
  const startPods: AgentCloud['startPods'] = async (prefix, count) => {
    const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
    await forEachAtOnce(names, 8, async (name) => {
      await cloud.cluster.createPod(podManifest(name, { restartPolicy: 'Never', hasAgent: true }));
    });
    await untilAll(cloud, { prefix, count }, ({ phase }) => phase === 'Running');
    const groups = await wantedAgents(cloud, ground, prefix);
    const running = await agents.start([...groups.values()]);
    for (const one of running) endInCloud(cloud, groups, one);
    await untilAll(cloud, { prefix, count }, ({ isReady }) => isReady);
    return running;
  };
  return {
    cloud,
    startPods,
    lagsOf: (ended) => lagsOf(cloud, ended),
    stop: async () => {
      await agents.stop();
      await cloud.stop();
    },
  };
}

async function untilAll(
  cloud: Cloud,
  { prefix, count }: { readonly prefix: string; readonly count: number },
  isSo: (pod: PodNews) => boolean,
): Promise<void> {
  const has = (): number => latest(cloud, prefix).filter(isSo).length;
  if (await cloud.time.waitUntil(() => has() === count, { withinMs: readyWithinMs, everyMs: 500 })) return;
  throw new Error(`only ${has()} pods of ${count} of ${prefix} came so far`);
}

/** What the watch has last said of each pod. */
function latest(cloud: Cloud, prefix: string): readonly PodNews[] {
  const last = new Map<string, PodNews>();
  for (const one of cloud.cluster.news()) if (one.name.startsWith(`${prefix}-`)) last.set(one.name, one);
  return [...last.values()];
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

/** When an agent has gone, process 1 of its container has. */
function endInCloud(cloud: Cloud, groups: ReadonlyMap<string, AgentWanted>, { uid, exited }: AgentProcess): void {
  const group = [...groups].find(([, wanted]) => wanted.uid === uid)?.[0];
  if (group !== undefined)
    void exited.then(() => cloud.arm.end(group, exitCode)).catch(() => undefined /* the cloud has been stopped */);
}

async function lagsOf(cloud: Cloud, ended: readonly AgentProcess[]): Promise<readonly number[]> {
  const uids = new Set(ended.map(({ uid }) => uid));
  const reported = (): Map<string, number> => {
    const first = new Map<string, number>();
    for (const { uid, phase, atMs } of cloud.cluster.news())
      if (uids.has(uid) && phase === 'Failed' && !first.has(uid)) first.set(uid, atMs);
    return first;
  };
  await cloud.time.waitUntil(() => reported().size === ended.length, { withinMs: reportedWithinMs, everyMs: 100 });
  const heard = reported();
  return ended.map((one) => {
    const endedAtMs = one.finishedAtMs();
    if (endedAtMs === undefined) throw new Error(`the program of ${one.name} did not end`);
    return ((heard.get(one.uid) ?? cloud.time.now()) - cloud.time.of(endedAtMs)) / 1000;
  });
}
