import type { PodManifest } from '../../infra/local/sim/cluster-pods.ts';
import type { JsonObject } from '../../shared/core/json.ts';
import type { Chance } from '../../infra/local/sim/time/chance.ts';

/** What the images do. */
export const images = {
  serves: {},
  'quick-0': { runMs: 3_000, exitCode: 0 },
  'exits-0': { runMs: 20_000, exitCode: 0 },
  'exits-3': { runMs: 20_000, exitCode: 3 },
  'slow-0': { runMs: 90_000, exitCode: 0 },
  'slow-7': { runMs: 150_000, exitCode: 7 },
} as const;

type Image = keyof typeof images;

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
  readonly spec: (chance: Chance) => JsonObject;
}

const main = (image: Image, more: JsonObject = {}): JsonObject => ({ name: 'main', image, ...more });
const ending: readonly [Image, ...Image[]] = ['quick-0', 'exits-0', 'exits-3', 'slow-0', 'slow-7'];

export const secretNamespace = 'secret';

const kinds: readonly Kind[] = [
  {
    weight: 6,
    expectation: 'ends',
    spec: (chance) => ({ restartPolicy: 'Never', containers: [main(chance.pick(ending))] }),
  },
  {
    weight: 2,
    expectation: 'ends',
    spec: (chance) => ({
      restartPolicy: 'OnFailure',
      containers: [main(chance.pick(['quick-0', 'exits-0', 'slow-0']))],
    }),
  },
  {
    weight: 1,
    expectation: 'serves',
    spec: () => ({ restartPolicy: 'OnFailure', containers: [main('exits-3')] }),
  },
  {
    weight: 4,
    expectation: 'serves',
    spec: () => ({ restartPolicy: 'Always', containers: [main('serves')] }),
  },
  {
    weight: 1,
    expectation: 'serves',
    spec: (chance) => ({ restartPolicy: 'Always', containers: [main(chance.pick(['exits-0', 'slow-7']))] }),
  },
  {
    weight: 2,
    expectation: 'ends',
    spec: (chance) => ({
      restartPolicy: 'Never',
      initContainers: [{ name: 'first', image: 'quick-0' }],
      containers: [main(chance.pick(ending))],
    }),
  },
  {
    weight: 2,
    expectation: 'ends',
    spec: (chance) => ({
      restartPolicy: 'Never',
      containers: [main(chance.pick(ending)), { name: 'beside', image: chance.pick(ending) }],
    }),
  },
  {
    weight: 4,
    expectation: 'ends',
    hasFinalizer: true,
    spec: (chance) => ({ restartPolicy: 'Never', containers: [main(chance.pick(ending))] }),
  },
  {
    weight: 1,
    expectation: 'ends',
    spec: () => ({ restartPolicy: 'Never', activeDeadlineSeconds: 60, containers: [main('serves')] }),
  },
  {
    weight: 1,
    expectation: 'refused',
    spec: () => ({ restartPolicy: 'Never', hostNetwork: true, containers: [main('exits-0')] }),
  },
  {
    weight: 2,
    expectation: 'ends',
    spec: (chance) => ({
      restartPolicy: 'Never',
      containers: [
        main(chance.pick(['exits-0', 'exits-3']), {
          env: [
            { name: 'PLANTED', valueFrom: { secretKeyRef: { name: 'planted', key: 'value' } } },
            { name: 'EXPANDED', value: 'with-$(PLANTED)' },
          ],
          volumeMounts: [{ name: 'planted', mountPath: '/planted' }],
        }),
      ],
      volumes: [{ name: 'planted', secret: { secretName: 'planted' } }],
    }),
  },
  {
    weight: 1,
    expectation: 'ends',
    spec: () => ({
      restartPolicy: 'Never',
      containers: [main('exits-0', { envFrom: [{ configMapRef: { name: 'late' } }] })],
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
  const spec: JsonObject = { terminationGracePeriodSeconds: chance.pick([30, 30, 0, 5]), ...kind.spec(chance) };
  const hasFinalizer = kind.hasFinalizer === true;
  const createAtMs = chance.between(0, createWithinMs);
  return {
    manifest: {
      name: `p-${index}`,
      namespace: 'volumes' in spec ? secretNamespace : 'default',
      uid: `u-${index}`,
      nodeName: chance.pick(nodes),
      spec,
      ...(hasFinalizer ? { finalizers: ['batch.kubernetes.io/job-tracking'] } : {}),
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
