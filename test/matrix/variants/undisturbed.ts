import { daemonSetOwner, jobFinalizer, jobOwner } from '../../../infra/local/sim/pods/pod-spec.ts';
import {
  deletePod,
  deleted,
  hasEnded,
  hasStarted,
  isGone,
  one,
  podOf,
  ref,
  specOf,
  stopped,
  toItsEnd,
  waitsFor,
} from './hands.ts';
import type { Variant } from './hands.ts';

/** What becomes of a pod that nobody deletes before its end, or while it serves. */
export const undisturbed: readonly Variant[] = [
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
      life.createPod({ spec: specOf('serves', { restartPolicy: 'Always' }) });
      await life.until('it runs', hasStarted(life));
      await deleted(life);
    },
  },
  {
    name: 'always-restarts',
    sentence: 'Always: crashes once, is run again and counted, is deleted',
    arm: stopped,
    live: async (life) => {
      life.createPod({ spec: specOf('crashes-once', { restartPolicy: 'Always' }) });
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
    live: toItsEnd(specOf('third-time-0', { restartPolicy: 'OnFailure' }), 120),
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
      life.createPod({ spec: specOf('serves', { restartPolicy: 'Always', init: 'prepares-twice' }) });
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
        ownerReferences: [jobOwner],
        finalizers: [jobFinalizer],
      });
      await life.until('the pod has ended', hasEnded(life));
      life.world.cluster.pods.removeFinalizers(ref);
      await deleted(life);
    },
  },
  {
    name: 'daemon-set',
    sentence: "a DaemonSet's pod that ACI can't run waits and costs nothing",
    arm: { puts: 0, stops: 0, deletes: 0 },
    live: async (life) => {
      const spec = specOf('serves', { restartPolicy: 'Always', more: { hostNetwork: true } });
      life.createPod({ spec, ownerReferences: [daemonSetOwner] });
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
    name: 'deadline',
    sentence: 'activeDeadlineSeconds ends it, then it is deleted',
    arm: stopped,
    live: toItsEnd(specOf('serves', { more: { activeDeadlineSeconds: 20 } })),
  },
];
