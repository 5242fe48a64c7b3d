import { containerOf, podSpec } from '../../../infra/local/sim/pods/pod-spec.ts';
import type { Image } from '../../../infra/local/sim/pods/images.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import type { RestartPolicy } from '../../../shared/core/kubernetes/pod.ts';
import type { AgentManners } from '../agents.ts';
import type { Life } from '../life.ts';
import { deletePod, deleted, hasEnded, hasStarted, isGone, one, podOf, stopped, tablesLostWhen } from './hands.ts';
import type { Variant } from './hands.ts';

/** Ends 4 s after its signal. */
const heeds: AgentManners = { endsInMs: 4_000, exitCode: 3 };
const hook = { lifecycle: { preStop: { exec: { command: ['/flush'] } } } };

/** A pod whose container has the agent, grace 30 s. */
const agentSpec = (image: Image, restartPolicy: RestartPolicy = 'Never', more: JsonObject = {}): JsonObject =>
  podSpec({ restartPolicy, more, containers: [containerOf(image, hook)] });

/** How the container's end is told in the pod's last status. */
function saidOf(life: Life): { readonly exitCode: number | undefined; readonly isUnknown: boolean } {
  const [story] = life.witness.stories.values();
  const container = story?.pod.status.containerStatuses[0];
  const end = [container?.state, container?.lastState].find((state) => state?.kind === 'terminated');
  return { exitCode: end?.exitCode, isUnknown: end?.reason === 'ContainerStatusUnknown' };
}

/**
 * O3: how the program ended is in the pod's last status; without a fault that is `exitCode`. A word that comes late leaves it less
 * time, and where none came in time ACI ends the group, which tells no code. What only a parked agent knows is unknown where
 * nobody could hear it until the grace was long over, and the status says so.
 */
async function deletedWith(life: Life, exitCode: number): Promise<void> {
  await deleted(life);
  const last = life.world.groups.runs().findLast(({ container }) => container === 'main');
  const said = saidOf(life);
  const isDisturbed = life.processes.faultsMet > 0;
  if (!isDisturbed && last?.exitCode !== exitCode)
    life.witness.report('O3', `the program ended with ${last?.exitCode} instead of ${exitCode}`);
  if (last?.end !== 'exited' || said.exitCode === last.exitCode || (isDisturbed && said.isUnknown)) return;
  life.witness.report('O3', `the program ended with ${last.exitCode}, and its pod said ${said.exitCode}`);
}

const runningOnce =
  (spec: JsonObject, act: (life: Life) => Promise<void>) =>
  async (life: Life): Promise<void> => {
    life.createPod({ spec });
    await life.until('it runs', hasStarted(life));
    await life.pass(5);
    await act(life);
  };

/** Pods with the agent, whose words and posts are calls as any other. */
export const withAgents: readonly Variant[] = [
  {
    name: 'agent-end',
    sentence: 'with the agent: the end is reported, then it is deleted',
    arm: one,
    agents: heeds,
    live: async (life) => {
      life.createPod({ spec: agentSpec('runs-3') });
      await life.until('the pod has ended', hasEnded(life));
      await deletedWith(life, 3);
    },
  },
  {
    name: 'agent-restart',
    sentence: 'with the agent, Always: a crash is counted, then the second run is told to end, and ends by itself',
    arm: one,
    agents: heeds,
    live: async (life) => {
      life.createPod({ spec: agentSpec('crashes-once', 'Always') });
      await life.until('it runs again', () => {
        const status = podOf(life)?.status.containerStatuses[0];
        return status?.state.kind === 'running' && status.restartCount === 1;
      });
      await deletedWith(life, 3);
    },
  },
  {
    name: 'agent-drain',
    sentence: 'with the agent: deleted while it runs; it is told, ends by itself, and says how',
    arm: one,
    agents: heeds,
    live: runningOnce(agentSpec('serves'), (life) => deletedWith(life, 3)),
  },
  {
    name: 'agent-drain-over',
    sentence: 'with the agent: what outlives its grace is killed by the agent, and said to be',
    arm: one,
    agents: { endsInMs: 60_000, exitCode: 0 },
    live: runningOnce(agentSpec('serves', 'Always', { terminationGracePeriodSeconds: 8 }), (life) =>
      deletedWith(life, 137),
    ),
  },
  {
    name: 'agent-deaf',
    sentence: 'with the agent, which no word reaches: ACI ends the group',
    arm: stopped,
    agents: { ...heeds, isDeaf: true },
    live: runningOnce(agentSpec('serves'), deleted),
  },
  {
    name: 'agent-mute',
    sentence: 'with the agent, which hears and from which nothing comes: the group goes after the grace',
    arm: stopped,
    agents: { ...heeds, isMute: true },
    live: runningOnce(agentSpec('serves', 'Never', { terminationGracePeriodSeconds: 8 }), deleted),
  },
  {
    name: 'agent-deadline',
    sentence: 'with the agent: activeDeadlineSeconds tells it to end',
    arm: one,
    agents: heeds,
    live: async (life) => {
      life.createPod({ spec: agentSpec('serves', 'Never', { activeDeadlineSeconds: 20 }) });
      await life.until('the pod has ended', hasEnded(life));
      await deletedWith(life, 3);
    },
  },
  {
    name: 'agent-tables-lost',
    sentence: 'with the agent: the tables are lost while it is told to end',
    arm: one,
    agents: heeds,
    live: runningOnce(agentSpec('serves'), async (life) => {
      tablesLostWhen(life, () => life.world.agents.heard().length > 0);
      deletePod(life);
      await life.until('the pod is gone', isGone(life));
    }),
  },
  {
    name: 'agent-files',
    sentence: 'with the agent: a ConfigMap changes twice under a running pod, and its files follow',
    arm: one,
    agents: { ...heeds, liveVolumes: ['conf'] },
    live: async (life) => {
      const put = (value: string): void =>
        life.world.cluster.references.putConfigMap({ namespace: 'default', name: 'settings' }, { a: value });
      const has = (value: string) => (): boolean => life.agents?.filesOf('conf')?.['a'] === value;
      put('1');
      const containers = [containerOf('serves', { ...hook, volumeMounts: [{ name: 'conf', mountPath: '/conf' }] })];
      const volumes = [{ name: 'conf', configMap: { name: 'settings' } }];
      life.createPod({ spec: podSpec({ containers, volumes }) });
      await life.until('it runs', hasStarted(life));
      for (const value of ['2', '3']) {
        put(value);
        await life.until(`it has ${value}`, has(value), 120);
      }
      await deletedWith(life, 3);
    },
  },
];
