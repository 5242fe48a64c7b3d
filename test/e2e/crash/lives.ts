/** The lives that pods lead in the tests, each from its creation to the moment when nothing of it is left. */
import type { GatedCloud } from './gated-cloud.ts';
import { until } from '../until.ts';
import { isOver, manifest, release } from './pods.ts';
import type { PodHistory, PodRecorder } from '../pod-recorder.ts';
import type { ScriptedPod } from './pods.ts';
import type { Target } from './points.ts';

export type LifeName = 'never' | 'deleted' | 'on-failure';

export interface Life {
  readonly name: LifeName;
  readonly pod: Omit<ScriptedPod, 'name'>;
  /** Whether the pod has come to where it is deleted. */
  readonly isRipe: (history: PodHistory | undefined) => boolean;
  /** Exit codes of the container's runs, in order, each way that is right. */
  readonly codes: readonly (readonly number[])[];
  /** Codes that its last status may show. ACI's stop erases the end, which the kubelet's rules then call 137. */
  readonly shown: readonly number[];
}

export const lives: readonly Life[] = [
  {
    name: 'never',
    pod: { restartPolicy: 'Never', runs: [{ runMs: 1_500, exitCode: 3 }] },
    isRipe: isOver,
    codes: [[3]],
    shown: [3],
  },
  {
    name: 'deleted',
    pod: { restartPolicy: 'Never', runs: [{}] },
    isRipe: (history) => history?.phases.at(-1) === 'Running',
    // TERM; or, long past the grace period, KILL.
    codes: [[143], [137]],
    shown: [143, 137],
  },
  {
    name: 'on-failure',
    pod: {
      restartPolicy: 'OnFailure',
      runs: [
        { runMs: 1_500, exitCode: 1 },
        { runMs: 1_500, exitCode: 0 },
      ],
    },
    isRipe: isOver,
    codes: [[1, 0]],
    shown: [0],
  },
];

export function lifeOf(name: LifeName): Life {
  const found = lives.find((life) => life.name === name);
  if (found === undefined) throw new Error(`no life ${name}`);
  return found;
}

/** No step of a life takes longer after a crash: the term of a lock, the minute of an open intent, and a slow machine. */
const patienceMs = 240_000;

export interface Stage {
  readonly cloud: GatedCloud;
  readonly watch: PodRecorder;
  readonly namespace: string;
}

/** Creates the pod, lets it be bound when `born` has returned, deletes it when it is ripe, and waits until it is gone. */
export async function live(
  { cloud, watch, namespace }: Stage,
  life: Life,
  name: string,
  born: (pod: Target) => void,
): Promise<void> {
  const pod = await cloud.core.createNamespacedPod({ namespace, body: manifest({ name, ...life.pod }, true) });
  const uid = pod.metadata?.uid ?? '';
  born({ name, uid });
  await release(cloud, namespace, pod);
  const history = () => watch.histories.get(uid);
  await until(`${name} comes to its end`, history, life.isRipe, patienceMs);
  await cloud.core.deleteNamespacedPod({ namespace, name });
  await until(`${name} goes`, history, (seen) => seen?.deleted === true, patienceMs);
}
