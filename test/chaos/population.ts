import type { PodManifest } from '../../infra/local/sim/cluster-pods.ts';
import type { Image } from '../../infra/local/sim/pods/images.ts';
import { containerOf, jobFinalizer, podSpec, secretEnv } from '../../infra/local/sim/pods/pod-spec.ts';
import type { PodSpecParts } from '../../infra/local/sim/pods/pod-spec.ts';
import type { Chance } from '../../infra/local/sim/time/chance.ts';

/** What becomes of a pod that nobody disturbs. */
export type Expectation =
  /** It ends by itself; its phase becomes final. */
  | 'ends'
  /** It is Running for as long as it is wanted. */
  | 'serves'
  /** ACI can never run it: Failed, and no group. */
  | 'refused';

export type Action =
  | { readonly kind: 'delete'; readonly afterMs: number; readonly isForced: boolean; readonly isMadeAnew: boolean }
  /** Somebody deletes its group in the portal. */
  | { readonly kind: 'take group away'; readonly afterMs: number };

/** One pod that somebody will create. */
export interface PodPlan {
  readonly manifest: PodManifest & { readonly uid: string };
  readonly createAtMs: number;
  readonly expectation: Expectation;
  readonly action: Action | undefined;
  /** A Job's pod: its controller takes the finalizer away when it has counted the end. */
  readonly hasFinalizer: boolean;
}

export interface PopulationOptions {
  readonly chance: Chance;
  readonly pods: number;
  readonly createWithinMs: number;
  readonly disturbWithinMs: number;
  readonly nodes: readonly [string, ...string[]];
  /** In every planted secret, so that it can be searched for. */
  readonly secret: string;
}

interface Kind {
  readonly weight: number;
  readonly expectation: Expectation;
  readonly hasFinalizer?: true;
  readonly spec: (chance: Chance) => PodSpecParts;
}

const ending: readonly [Image, ...Image[]] = ['quick-0', 'exits-0', 'exits-3', 'slow-0', 'slow-7'];

export const secretNamespace = 'secret';

/** Has the agent beside its program. */
const hooked = { lifecycle: { postStart: { exec: { command: ['/hook'] } } } };

const kinds: readonly Kind[] = [
  {
    weight: 6,
    expectation: 'ends',
    spec: (chance) => ({ containers: [containerOf(chance.pick(ending))] }),
  },
  {
    weight: 2,
    expectation: 'ends',
    spec: (chance) => ({
      restartPolicy: 'OnFailure',
      containers: [containerOf(chance.pick(['quick-0', 'exits-0', 'slow-0']))],
    }),
  },
  {
    weight: 1,
    expectation: 'serves',
    spec: () => ({ restartPolicy: 'OnFailure', containers: [containerOf('exits-3')] }),
  },
  {
    weight: 4,
    expectation: 'serves',
    spec: () => ({ restartPolicy: 'Always', containers: [containerOf('serves')] }),
  },
  {
    weight: 1,
    expectation: 'serves',
    spec: (chance) => ({ restartPolicy: 'Always', containers: [containerOf(chance.pick(['exits-0', 'slow-7']))] }),
  },
  {
    weight: 2,
    expectation: 'ends',
    spec: (chance) => ({
      initContainers: [containerOf('quick-0', { name: 'first' })],
      containers: [containerOf(chance.pick(ending))],
    }),
  },
  {
    weight: 2,
    expectation: 'ends',
    spec: (chance) => ({
      containers: [containerOf(chance.pick(ending)), containerOf(chance.pick(ending), { name: 'beside' })],
    }),
  },
  {
    weight: 4,
    expectation: 'ends',
    hasFinalizer: true,
    spec: (chance) => ({ containers: [containerOf(chance.pick(ending))] }),
  },
  {
    weight: 1,
    expectation: 'ends',
    spec: () => ({ more: { activeDeadlineSeconds: 60 }, containers: [containerOf('serves')] }),
  },
  {
    weight: 4,
    expectation: 'ends',
    spec: (chance) => ({ containers: [containerOf(chance.pick(ending), hooked)] }),
  },
  {
    weight: 2,
    expectation: 'serves',
    spec: (chance) => ({
      restartPolicy: chance.pick(['Always', 'OnFailure']),
      containers: [containerOf(chance.pick(['exits-3', 'slow-7']), hooked)],
    }),
  },
  {
    weight: 8,
    expectation: 'serves',
    spec: () => ({ restartPolicy: 'Always', containers: [containerOf('serves', hooked)] }),
  },
  {
    weight: 2,
    expectation: 'ends',
    spec: () => ({ more: { activeDeadlineSeconds: 60 }, containers: [containerOf('serves', hooked)] }),
  },
  {
    weight: 1,
    expectation: 'refused',
    spec: () => ({ more: { hostNetwork: true }, containers: [containerOf('exits-0')] }),
  },
  {
    weight: 2,
    expectation: 'ends',
    spec: (chance) => ({
      containers: [
        containerOf(chance.pick(['exits-0', 'exits-3']), {
          env: secretEnv('PLANTED', { name: 'planted', key: 'value' }),
          volumeMounts: [{ name: 'planted', mountPath: '/planted' }],
        }),
      ],
      volumes: [{ name: 'planted', secret: { secretName: 'planted' } }],
    }),
  },
  {
    weight: 2,
    expectation: 'ends',
    spec: (chance) => ({
      containers: [containerOf(chance.pick(['quick-0', 'exits-3']), { args: ['--all'] })],
    }),
  },
  {
    weight: 1,
    expectation: 'ends',
    spec: () => ({
      containers: [containerOf('exits-0', { envFrom: [{ configMapRef: { name: 'late' } }] })],
    }),
  },
];

/** A mixed population, and what is done to it. */
export function createPopulation(options: PopulationOptions): readonly PodPlan[] {
  const total = kinds.reduce((sum, kind) => sum + kind.weight, 0);
  return Array.from({ length: options.pods }, (_, index) => {
    let drawn = options.chance.next() * total;
    const kind = kinds.find(({ weight }) => (drawn -= weight) < 0) ?? kinds[0];
    if (kind === undefined) throw new Error('no kinds of pods');
    return planPod(options, kind, index);
  });
}

function planPod(
  { chance, createWithinMs, disturbWithinMs, nodes }: PopulationOptions,
  kind: Kind,
  index: number,
): PodPlan {
  const spec = podSpec({ terminationGracePeriodSeconds: chance.pick([30, 30, 0, 5]), ...kind.spec(chance) });
  const hasFinalizer = kind.hasFinalizer === true;
  const createAtMs = chance.between(0, createWithinMs);
  return {
    manifest: {
      name: `p-${index}`,
      namespace: 'volumes' in spec ? secretNamespace : 'default',
      uid: `u-${index}`,
      nodeName: chance.pick(nodes),
      spec,
      ...(hasFinalizer ? { finalizers: [jobFinalizer] } : {}),
    },
    createAtMs,
    expectation: kind.expectation,
    action: planAction(chance, disturbWithinMs - createAtMs),
    hasFinalizer,
  };
}

function planAction(chance: Chance, withinMs: number): Action | undefined {
  const drawn = chance.next();
  if (drawn < 0.02) return { kind: 'take group away', afterMs: chance.between(5_000, withinMs) };
  if (drawn > 0.5) return undefined;
  const isWhileCreating = chance.isHit(0.25);
  return {
    kind: 'delete',
    afterMs: isWhileCreating ? chance.between(0, 8_000) : chance.between(0, withinMs),
    isForced: chance.isHit(0.2),
    isMadeAnew: chance.isHit(0.3),
  };
}
