import { isJsonObject } from '../../shared/core/json.ts';
import type { Json, JsonObject } from '../../shared/core/json.ts';
import { objectAt, objectsAt } from '../../shared/core/json-access.ts';
import type { CorpusPod } from './read-corpus.ts';

const containersOf = ({ written }: CorpusPod): readonly JsonObject[] => [
  ...objectsAt(written, 'initContainers'),
  ...objectsAt(written, 'containers'),
];

const has = (json: JsonObject, name: string): boolean => {
  const value: Json | undefined = json[name];
  return (
    value !== undefined &&
    !(Array.isArray(value) && value.length === 0) &&
    !(isJsonObject(value) && Object.keys(value).length === 0)
  );
};

const securityHas = (name: string) => (pod: CorpusPod) =>
  [pod.written, ...containersOf(pod)].some((one) => has(objectAt(one, 'securityContext'), name));
const anyContainer = (test: (container: JsonObject) => boolean) => (pod: CorpusPod) => containersOf(pod).some(test);

/** What is counted: whether a pod has it in any of its containers. */
export const features: Readonly<Record<string, (pod: CorpusPod) => boolean>> = {
  probes: anyContainer((one) => ['livenessProbe', 'readinessProbe', 'startupProbe'].some((name) => has(one, name))),
  runAsNonRoot: securityHas('runAsNonRoot'),
  runAsUser: securityHas('runAsUser'),
  fsGroup: securityHas('fsGroup'),
  'args alone': anyContainer((one) => has(one, 'args') && !has(one, 'command')),
  subPath: anyContainer((one) => objectsAt(one, 'volumeMounts').some((mount) => has(mount, 'subPath'))),
  PVC: ({ written }) => objectsAt(written, 'volumes').some((volume) => has(volume, 'persistentVolumeClaim')),
  workingDir: anyContainer((one) => has(one, 'workingDir')),
};

/** The share of pods that have a feature, in per cent. */
export const share = (pods: readonly CorpusPod[], feature: (pod: CorpusPod) => boolean): number =>
  (pods.filter(feature).length / pods.length) * 100;
