import { jobFinalizer, jobOwner } from '../../../infra/local/sim/pods/pod-spec.ts';
import {
  deletePod,
  deleted,
  deletedWhen,
  hasEnded,
  hasGroup,
  hasIntent,
  hasSecondEnded,
  hasStarted,
  isGone,
  one,
  plain,
  podOf,
  ref,
  specOf,
  stopped,
} from './hands.ts';
import type { Variant } from './hands.ts';

/** Pods that somebody deletes at some moment of their lives. */
export const deletedEarly: readonly Variant[] = [
  {
    name: 'job-deleted',
    sentence: "a Job's pod is deleted while it runs, and the Job lets go of it when it has ended",
    arm: stopped,
    live: async (life) => {
      life.createPod({
        spec: specOf('serves'),
        ownerReferences: [jobOwner],
        finalizers: [jobFinalizer],
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
      life.createPod({ spec: specOf('runs-3', { beside: 'serves' }) });
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
      life.createPod({ spec: specOf('serves', { restartPolicy: 'Always' }) });
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
];
