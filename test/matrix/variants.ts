import type { Behaviours } from '../../infra/local/sim/container-runs.ts';
import type { JsonObject } from '../../shared/core/json.ts';
import { isTerminalPhase } from '../../shared/core/kubernetes/pod.ts';
import type { Pod } from '../../shared/core/kubernetes/pod.ts';
import type { WorldOptions } from '../app/world.ts';
import { nodeName } from './life.ts';
import type { Life } from './life.ts';
import { groupsOf, plantedSecret } from './oracles.ts';
import { isInWindow } from './window.ts';
import type { ArmBudget } from './oracles.ts';

/** One kind of life: who does what to the pod, and when. */
export interface Variant {
  /** For the command line. */
  readonly name: string;
  readonly sentence: string;
  readonly world?: WorldOptions;
  readonly relay?: false;
  readonly budgets?: true;
  /** What it costs at ARM when nothing goes wrong. */
  readonly arm: ArmBudget;
  readonly live: (life: Life) => Promise<void>;
}

const images: Behaviours = {
  serves: {},
  'runs-0': { runMs: 12_000 },
  'runs-3': { runMs: 12_000, exitCode: 3 },
  'crashes-once': { runs: [{ runMs: 4_000, exitCode: 2 }, {}] },
  'third-time-0': {
    runs: [{ runMs: 3_000, exitCode: 1 }, { runMs: 3_000, exitCode: 2 }, { runMs: 4_000 }],
  },
  prepares: { runMs: 8_000 },
  'prepares-badly': { runMs: 8_000, exitCode: 4 },
  'prepares-twice': { runs: [{ runMs: 3_000, exitCode: 5 }, { runMs: 3_000 }] },
};

const secretEnv = [
  { name: 'PLAIN', value: 'seen' },
  { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 's', key: 'token' } } },
  { name: 'EXPANDED', value: 'with $(TOKEN)' },
];

type Image = keyof typeof images;

const container = (name: string, image: Image): JsonObject => ({
  name,
  image,
  env: secretEnv,
  volumeMounts: [{ name: 'account', mountPath: '/var/run/account' }],
});

const volumes = [
  { name: 'account', projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }] } },
];

interface Shape {
  readonly policy?: 'Never' | 'OnFailure' | 'Always';
  readonly init?: Image;
  /** Of the container. */
  readonly args?: readonly string[];
  readonly more?: JsonObject;
}

/** A spec of one container, restartPolicy Never, grace 30 s, that reads a Secret and a token. */
const specOf = (image: Image, { policy = 'Never', init, args, more }: Shape = {}): JsonObject => ({
  restartPolicy: policy,
  terminationGracePeriodSeconds: 30,
  containers: [{ ...container('main', image), ...(args !== undefined && { args }) }],
  ...(init === undefined ? {} : { initContainers: [container('init', init)] }),
  volumes,
  ...more,
});

/** A pod that refers to nothing: no refusal of a Secret or a token shows that it is gone. */
const plain = (image: Image): JsonObject => ({
  restartPolicy: 'Never',
  terminationGracePeriodSeconds: 30,
  enableServiceLinks: false,
  containers: [{ name: 'main', image }],
});

const job = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'j-1', controller: true };
const daemonSet = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'd-1', controller: true };
const ref = { namespace: 'default', name: 'p' };

const podOf = (life: Life): Pod | undefined => life.world.pod();
const hasEnded = (life: Life) => (): boolean => {
  const pod = podOf(life);
  return pod !== undefined && isTerminalPhase(pod.status.phase);
};
const hasSecondEnded = (life: Life) => (): boolean => life.witness.stories.size === 2 && hasEnded(life)();
const hasStarted = (life: Life) => (): boolean => (podOf(life)?.status.phase ?? 'Pending') !== 'Pending';
const isGone = (life: Life) => (): boolean => podOf(life) === undefined;
const waitsFor = (life: Life, reason: string): boolean => {
  const state = podOf(life)?.status.containerStatuses[0]?.state;
  return state?.kind === 'waiting' && state.reason === reason;
};
const hasGroup = (life: Life, pod: Pod) => (): boolean => groupsOf(life.world, pod.metadata.uid).length > 0;
const hasIntent = (life: Life, kind: string) => (): boolean => life.world.row()?.intent.kind === kind;

/** By a user, with the pod's own grace. */
const deletePod = (life: Life): void => life.world.cluster.pods.delete(ref, {});

async function deleted(life: Life): Promise<void> {
  deletePod(life);
  await life.until('the pod is gone', isGone(life));
}

/** Create, run to its end, delete. */
const toItsEnd =
  (spec: JsonObject, withinSeconds = 60) =>
  async (life: Life): Promise<void> => {
    life.createPod({ spec });
    await life.until('the pod has ended', hasEnded(life), withinSeconds);
    await deleted(life);
  };

/** Create, and delete as soon as it is so. */
const deletedWhen =
  (spec: JsonObject, when: (life: Life, pod: Pod) => () => boolean) =>
  async (life: Life): Promise<void> => {
    const pod = life.createPod({ spec });
    life.whenever(when(life, pod), () => deletePod(life));
    await life.until('the pod is gone', isGone(life));
  };

/** All tables are emptied as soon as it is so. */
const tablesLostWhen = (life: Life, when: () => boolean): void => life.whenever(when, () => life.loseTables());

const removeGroup = (life: Life): void => {
  const [name] = life.world.groups.names();
  if (name !== undefined) life.world.groups.removeGroup(name);
};

const one: ArmBudget = { puts: 1, stops: 0, deletes: 1 };
const stopped: ArmBudget = { puts: 1, stops: 1, deletes: 1 };
const two: ArmBudget = { puts: 2, stops: 1, deletes: 2 };

const table: readonly Variant[] = [
  { name: 'never', sentence: 'Never: runs, ends with 3, is deleted', arm: one, live: toItsEnd(specOf('runs-3')) },
  {
    name: 'slow-arm',
    sentence: 'Never, and ARM is slow to show what it accepted',
    world: { visibleAfterMs: 12_000 },
    arm: one,
    live: toItsEnd(specOf('runs-3')),
  },
  {
    name: 'no-relay',
    sentence: 'Never, and every webhook and tick is lost',
    relay: false,
    arm: one,
    live: async (life) => {
      life.createPod({ spec: specOf('runs-3') });
      await life.until('the pod has ended', hasEnded(life), 150);
      deletePod(life);
      await life.until('the pod is gone', isGone(life), 150);
    },
  },
  {
    name: 'budgets',
    sentence: "Never, with ARM's budgets in rows before each request",
    budgets: true,
    arm: one,
    live: toItsEnd(specOf('runs-3'), 120),
  },
  {
    name: 'always',
    sentence: 'Always: serves, is deleted',
    arm: stopped,
    live: async (life) => {
      life.createPod({ spec: specOf('serves', { policy: 'Always' }) });
      await life.until('it runs', hasStarted(life));
      await deleted(life);
    },
  },
  {
    name: 'always-restarts',
    sentence: 'Always: crashes once, is run again and counted, is deleted',
    arm: stopped,
    live: async (life) => {
      life.createPod({ spec: specOf('crashes-once', { policy: 'Always' }) });
      await life.until('it runs again', () => {
        const status = podOf(life)?.status.containerStatuses[0];
        return status?.state.kind === 'running' && status.restartCount === 1;
      });
      await deleted(life);
    },
  },
  {
    name: 'on-failure',
    sentence: 'OnFailure: fails twice, succeeds, is deleted',
    arm: one,
    live: toItsEnd(specOf('third-time-0', { policy: 'OnFailure' }), 120),
  },
  {
    name: 'init',
    sentence: 'an init container, then the other, then the end',
    arm: one,
    live: toItsEnd(specOf('runs-0', { init: 'prepares' })),
  },
  {
    name: 'args-alone',
    sentence: "arguments alone: the image's registry is asked, does not answer at first, then does",
    arm: one,
    live: async (life) => {
      const { imageRegistry } = life.world;
      const digest = `sha256:${'ab'.repeat(32)}`;
      const config = { entrypoint: ['/entry'], cmd: [], env: {}, workingDir: '', user: '' };
      imageRegistry.put('index.docker.io/library/runs-3', 'latest', { digest, config });
      imageRegistry.fault = { kind: 'transient', message: 'docker.io answered 503' };
      life.createPod({ spec: specOf('runs-3', { args: ['--all'] }) });
      await life.until('it waits for the registry', () => waitsFor(life, 'ErrImagePull'));
      imageRegistry.fault = undefined;
      await life.until('the pod has ended', hasEnded(life), 90);
      await deleted(life);
    },
  },
  {
    name: 'init-fails',
    sentence: 'an init container that fails under Never',
    arm: one,
    live: toItsEnd(specOf('runs-0', { init: 'prepares-badly' })),
  },
  {
    name: 'init-retries',
    sentence: 'an init container that succeeds at the second try, under Always',
    arm: stopped,
    live: async (life) => {
      life.createPod({ spec: specOf('serves', { policy: 'Always', init: 'prepares-twice' }) });
      await life.until('it runs', hasStarted(life), 90);
      await deleted(life);
    },
  },
  {
    name: 'job',
    sentence: "a Job's pod: ends, the Job lets go of it, it is deleted",
    arm: one,
    live: async (life) => {
      life.createPod({
        spec: specOf('runs-0'),
        ownerReferences: [job],
        finalizers: ['batch.kubernetes.io/job-tracking'],
      });
      await life.until('the pod has ended', hasEnded(life));
      life.world.cluster.pods.removeFinalizers(ref);
      await deleted(life);
    },
  },
  {
    name: 'job-deleted',
    sentence: "a Job's pod is deleted while it runs, and the Job lets go of it when it has ended",
    arm: stopped,
    live: async (life) => {
      life.createPod({
        spec: specOf('serves'),
        ownerReferences: [job],
        finalizers: ['batch.kubernetes.io/job-tracking'],
      });
      await life.until('it runs', hasStarted(life));
      deletePod(life);
      await life.until('the pod has ended', hasEnded(life));
      life.world.cluster.pods.removeFinalizers(ref);
      await life.until('the pod is gone', isGone(life));
    },
  },
  {
    name: 'deleted-at-intent',
    sentence: 'deleted between intent and PUT',
    arm: one,
    live: deletedWhen(specOf('serves'), (life) => hasIntent(life, 'open')),
  },
  {
    name: 'deleted-at-put',
    sentence: 'deleted when the PUT has just taken effect',
    arm: one,
    live: deletedWhen(plain('serves'), hasGroup),
  },
  {
    name: 'deleted-creating',
    sentence: 'deleted while ACI creates the group',
    arm: one,
    live: deletedWhen(plain('serves'), (life) => hasIntent(life, 'accepted')),
  },
  {
    name: 'deleted-in-init',
    sentence: 'deleted while an init container runs',
    arm: one,
    live: deletedWhen(
      specOf('serves', { init: 'prepares' }),
      (life) => () =>
        ['running', 'terminated'].includes(podOf(life)?.status.initContainerStatuses[0]?.state.kind ?? ''),
    ),
  },
  {
    name: 'deleted-running',
    sentence: 'Never: deleted while it runs',
    arm: stopped,
    live: async (life) => {
      life.createPod({ spec: specOf('serves') });
      await life.until('it runs', hasStarted(life));
      await life.pass(20);
      await deleted(life);
    },
  },
  {
    name: 'deleted-half-ended',
    sentence: 'Never: deleted when one container has ended and the other runs',
    arm: stopped,
    live: async (life) => {
      const containers = [container('main', 'runs-3'), container('side', 'serves')];
      life.createPod({ spec: specOf('serves', { more: { containers } }) });
      await life.until('it runs', hasStarted(life));
      await life.pass(15);
      await deleted(life);
    },
  },
  {
    name: 'recreated',
    sentence: 'deleted, and made again under its name in the same moment',
    arm: { puts: 2, stops: 2, deletes: 2 },
    live: async (life) => {
      life.createPod({ spec: specOf('serves', { policy: 'Always' }) });
      await life.until('it runs', hasStarted(life));
      life.whenever(isGone(life), () => void life.createPod({ spec: specOf('runs-3') }));
      deletePod(life);
      await life.until('the second has ended', hasSecondEnded(life), 90);
      await deleted(life);
    },
  },
  {
    name: 'recreated-by-force',
    sentence: 'deleted by force and made again under its name, while the old group runs',
    arm: { puts: 2, stops: 1, deletes: 2 },
    live: async (life) => {
      life.createPod({ spec: specOf('serves') });
      await life.until('it runs', hasStarted(life));
      life.world.cluster.pods.delete(ref, { gracePeriodSeconds: 0 });
      life.createPod({ spec: specOf('runs-3') });
      await life.until('the second has ended', hasSecondEnded(life), 90);
      await deleted(life);
    },
  },
  {
    name: 'forced',
    sentence: 'deleted by force while ACI creates the group',
    arm: one,
    live: async (life) => {
      const pod = life.createPod({ spec: plain('serves') });
      life.whenever(hasGroup(life, pod), () => life.world.cluster.pods.delete(ref, { gracePeriodSeconds: 0 }));
      await life.until('the pod is gone', isGone(life));
    },
  },
  {
    name: 'node-deleted',
    sentence: 'the Node is deleted and made again by the heartbeat; the pod lives on',
    arm: one,
    live: async (life) => {
      life.createPod({ spec: specOf('runs-3') });
      await life.until('it runs', hasStarted(life));
      life.world.cluster.nodes.delete(nodeName);
      await life.until('the Node is back', () => life.world.cluster.nodes.get(nodeName).ok);
      await life.until('the pod has ended', hasEnded(life));
      await deleted(life);
    },
  },
  {
    name: 'pod-gc',
    sentence: 'the Node is deleted, and PodGC takes the pod',
    arm: one,
    live: async (life) => {
      life.createPod({ spec: specOf('serves', { policy: 'Always' }) });
      await life.until('it runs', hasStarted(life));
      life.world.cluster.nodes.delete(nodeName);
      const condition = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' } as const;
      life.world.cluster.pods.setCondition(ref, condition);
      life.world.cluster.pods.remove(ref);
      await life.until('the Node is back', () => life.world.cluster.nodes.get(nodeName).ok);
    },
  },
  {
    name: 'tables-lost-creating',
    sentence: 'all tables are lost when the PUT has just taken effect',
    arm: one,
    live: async (life) => {
      const pod = life.createPod({ spec: specOf('runs-3') });
      tablesLostWhen(life, hasGroup(life, pod));
      await life.until('the pod has ended', hasEnded(life), 90);
      await deleted(life);
    },
  },
  {
    name: 'tables-lost-at-intent',
    sentence: 'all tables are lost between intent and PUT',
    arm: one,
    live: async (life) => {
      life.createPod({ spec: specOf('runs-3') });
      tablesLostWhen(life, hasIntent(life, 'open'));
      await life.until('the pod has ended', hasEnded(life), 120);
      await deleted(life);
    },
  },
  {
    name: 'tables-lost-running',
    sentence: 'all tables are lost while it runs',
    arm: one,
    live: async (life) => {
      life.createPod({ spec: specOf('runs-3') });
      tablesLostWhen(life, hasStarted(life));
      await life.until('the pod has ended', hasEnded(life), 90);
      await deleted(life);
    },
  },
  {
    name: 'tables-lost-deleting',
    sentence: 'all tables are lost while it is being deleted',
    arm: stopped,
    live: async (life) => {
      life.createPod({ spec: specOf('serves') });
      await life.until('it runs', hasStarted(life));
      tablesLostWhen(life, () => life.world.groups.readGroup(life.world.groups.names()[0] ?? '')?.stopped === true);
      await deleted(life);
    },
  },
  {
    name: 'daemon-set',
    sentence: "a DaemonSet's pod that ACI can't run waits and costs nothing",
    arm: { puts: 0, stops: 0, deletes: 0 },
    live: async (life) => {
      const spec = specOf('serves', { policy: 'Always', more: { hostNetwork: true } });
      life.createPod({ spec, ownerReferences: [daemonSet] });
      await life.pass(40);
      await deleted(life);
    },
  },
  {
    name: 'capacity',
    sentence: 'the PUT is refused twice for lack of capacity, then accepted',
    arm: { puts: 3, stops: 0, deletes: 1 },
    live: async (life) => {
      const fault = { kind: 'capacity', code: 'ServiceUnavailable', message: 'no room' } as const;
      life.world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault, times: 2 });
      life.createPod({ spec: specOf('runs-3') });
      await life.until('the pod has ended', hasEnded(life), 90);
      await deleted(life);
    },
  },
  {
    name: 'lost-never',
    sentence: 'Never: somebody else deletes the group, and it is not made again',
    arm: one,
    live: async (life) => {
      life.createPod({ spec: specOf('serves') });
      await life.until('it runs', hasStarted(life));
      removeGroup(life);
      // In the window a PUT that is late brings the group back.
      const isBack = (): boolean => isInWindow(life.late) && life.world.groups.names().length > 0;
      await life.until('the pod has ended', () => hasEnded(life)() || isBack(), 120);
      await deleted(life);
    },
  },
  {
    name: 'lost-always',
    sentence: 'Always: somebody else deletes the group, and it is made again',
    arm: two,
    live: async (life) => {
      const pod = life.createPod({ spec: specOf('serves', { policy: 'Always', init: 'prepares' }) });
      await life.until('it runs', hasStarted(life));
      removeGroup(life);
      await life.until('there is another', hasGroup(life, pod), 150);
      await life.until('it runs again', () => podOf(life)?.status.containerStatuses[0]?.state.kind === 'running', 90);
      await deleted(life);
    },
  },
  {
    name: 'deadline',
    sentence: 'activeDeadlineSeconds ends it, then it is deleted',
    arm: stopped,
    live: toItsEnd(specOf('serves', { more: { activeDeadlineSeconds: 20 } })),
  },
];

/** Each with the images, and the Secret that its pods read. */
export const variants: readonly Variant[] = table.map((variant) => ({
  ...variant,
  world: { ...variant.world, images },
  live: async (life) => {
    life.world.cluster.references.putSecret({ namespace: 'default', name: 's' }, { token: plantedSecret });
    await variant.live(life);
    await life.finish();
  },
}));

export const findVariant = (name: string): Variant | undefined => variants.find((variant) => variant.name === name);
