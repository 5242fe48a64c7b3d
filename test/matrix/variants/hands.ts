import type { Image } from '../../../infra/local/sim/pods/images.ts';
import type { ArmBudget } from '../../../infra/local/sim/oracles/spending.ts';
import { groupsOf } from '../../../infra/local/sim/oracles/true-status.ts';
import { containerOf, podSpec, secretEnv } from '../../../infra/local/sim/pods/pod-spec.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import { isTerminalPhase } from '../../../shared/core/kubernetes/pod.ts';
import type { Pod, RestartPolicy } from '../../../shared/core/kubernetes/pod.ts';
import type { WorldOptions } from '../../app/world.ts';
import type { AgentManners } from '../agents.ts';
import type { Life } from '../life.ts';

/** One kind of life: who does what to the pod, and when. */
export interface Variant {
  /** For the command line. */
  readonly name: string;
  readonly sentence: string;
  readonly world?: WorldOptions;
  readonly relay?: false;
  readonly budgets?: true;
  readonly agents?: AgentManners;
  /** What it costs at ARM when nothing goes wrong. */
  readonly arm: ArmBudget;
  readonly live: (life: Life) => Promise<void>;
}

const reading = (image: Image, name = 'main'): JsonObject =>
  containerOf(image, {
    name,
    env: [{ name: 'PLAIN', value: 'seen' }, ...secretEnv('TOKEN', { name: 's', key: 'token' })],
    volumeMounts: [{ name: 'account', mountPath: '/var/run/account' }],
  });

const volumes = [
  { name: 'account', projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }] } },
];

interface Shape {
  readonly restartPolicy?: RestartPolicy;
  readonly init?: Image;
  /** A second container. */
  readonly beside?: Image;
  /** Of the container. */
  readonly args?: readonly string[];
  readonly more?: JsonObject;
}

/** A spec of one container, restartPolicy Never, grace 30 s, that reads a Secret and a token. */
export const specOf = (image: Image, { init, beside, args, ...rest }: Shape = {}): JsonObject =>
  podSpec({
    ...rest,
    ...(init === undefined ? {} : { initContainers: [reading(init, 'init')] }),
    containers: [
      { ...reading(image), ...(args !== undefined && { args: [...args] }) },
      ...(beside === undefined ? [] : [reading(beside, 'side')]),
    ],
    volumes,
  });

/** A pod that refers to nothing: no refusal of a Secret or a token shows that it is gone. */
export const plain = (image: Image): JsonObject =>
  podSpec({ more: { enableServiceLinks: false }, containers: [containerOf(image)] });

export const ref = { namespace: 'default', name: 'p' };

export const podOf = (life: Life): Pod | undefined => life.world.pod();
export const hasEnded = (life: Life) => (): boolean => {
  const pod = podOf(life);
  return pod !== undefined && isTerminalPhase(pod.status.phase);
};
export const hasSecondEnded = (life: Life) => (): boolean => life.witness.stories.size === 2 && hasEnded(life)();
export const hasStarted = (life: Life) => (): boolean => (podOf(life)?.status.phase ?? 'Pending') !== 'Pending';
export const waitsFor = (life: Life, reason: string): boolean => {
  const state = podOf(life)?.status.containerStatuses[0]?.state;
  return state?.kind === 'waiting' && state.reason === reason;
};
export const isGone = (life: Life) => (): boolean => podOf(life) === undefined;
export const hasGroup = (life: Life, pod: Pod) => (): boolean =>
  groupsOf(life.world.groups, pod.metadata.uid).length > 0;
export const hasIntent = (life: Life, kind: string) => (): boolean => life.world.row()?.intent.kind === kind;

/** By a user, with the pod's own grace. */
export const deletePod = (life: Life): void => life.world.cluster.pods.delete(ref, {});

export async function deleted(life: Life): Promise<void> {
  deletePod(life);
  await life.until('the pod is gone', isGone(life));
}

/** Create, run to its end, delete. */
export const toItsEnd =
  (spec: JsonObject, withinSeconds = 60) =>
  async (life: Life): Promise<void> => {
    life.createPod({ spec });
    await life.until('the pod has ended', hasEnded(life), withinSeconds);
    await deleted(life);
  };

/** Create, and delete as soon as it is so. */
export const deletedWhen =
  (spec: JsonObject, when: (life: Life, pod: Pod) => () => boolean) =>
  async (life: Life): Promise<void> => {
    const pod = life.createPod({ spec });
    life.whenever(when(life, pod), () => deletePod(life));
    await life.until('the pod is gone', isGone(life));
  };

/** All tables are emptied as soon as it is so. */
export const tablesLostWhen = (life: Life, when: () => boolean): void => life.whenever(when, () => life.loseTables());

export const removeGroup = (life: Life): void => {
  const [name] = life.world.groups.names();
  if (name !== undefined) life.world.groups.removeGroup(name);
};

export const one: ArmBudget = { puts: 1, stops: 0, deletes: 1 };
export const stopped: ArmBudget = { puts: 1, stops: 1, deletes: 1 };
export const two: ArmBudget = { puts: 2, stops: 1, deletes: 2 };
