import { nodeName } from '../life.ts';
import {
  deleted,
  hasEnded,
  hasGroup,
  hasIntent,
  hasStarted,
  one,
  podOf,
  ref,
  removeGroup,
  specOf,
  stopped,
  tablesLostWhen,
  two,
} from './hands.ts';
import type { Variant } from './hands.ts';

/** Lives in which something else goes: the Node, the tables, the group. */
export const losingThings: readonly Variant[] = [
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
      life.createPod({ spec: specOf('serves', { restartPolicy: 'Always' }) });
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
    name: 'lost-never',
    sentence: 'Never: somebody else deletes the group, and it is not made again',
    arm: one,
    live: async (life) => {
      life.createPod({ spec: specOf('serves') });
      await life.until('it runs', hasStarted(life));
      removeGroup(life);
      // In the window a PUT that is late brings the group back.
      const isBack = (): boolean => life.isInWindow && life.world.groups.names().length > 0;
      await life.until('the pod has ended', () => hasEnded(life)() || isBack(), 120);
      await deleted(life);
    },
  },
  {
    name: 'lost-always',
    sentence: 'Always: somebody else deletes the group, and it is made again',
    arm: two,
    live: async (life) => {
      const pod = life.createPod({ spec: specOf('serves', { restartPolicy: 'Always', init: 'prepares' }) });
      await life.until('it runs', hasStarted(life));
      removeGroup(life);
      await life.until('there is another', hasGroup(life, pod), 150);
      await life.until('it runs again', () => podOf(life)?.status.containerStatuses[0]?.state.kind === 'running', 90);
      await deleted(life);
    },
  },
];
