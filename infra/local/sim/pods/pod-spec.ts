import { defined } from '../../../../shared/core/defined.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { RestartPolicy } from '../../../../shared/core/kubernetes/pod.ts';
import type { Image } from './images.ts';

export interface PodSpecParts {
  /** `Never` unless given. */
  readonly restartPolicy?: RestartPolicy;
  /** 30 unless given. */
  readonly terminationGracePeriodSeconds?: number;
  readonly initContainers?: readonly JsonObject[];
  readonly containers: readonly JsonObject[];
  readonly volumes?: readonly JsonObject[];
  /** Any other field of a spec. */
  readonly more?: JsonObject;
}

/** A pod's spec as somebody writes it; the members are always in the same order. */
export const podSpec = ({
  restartPolicy = 'Never',
  terminationGracePeriodSeconds = 30,
  initContainers,
  containers,
  volumes,
  more,
}: PodSpecParts): JsonObject => ({
  terminationGracePeriodSeconds,
  restartPolicy,
  ...more,
  ...defined({ initContainers }),
  containers,
  ...defined({ volumes }),
});

/** A container of some image; `main` unless `more` names it. */
export const containerOf = (image: Image, more: JsonObject = {}): JsonObject => ({ name: 'main', image, ...more });

/** Two variables: one that a Secret gives, and one into which it is expanded. */
export const secretEnv = (variable: string, secretKeyRef: { readonly name: string; readonly key: string }) =>
  [
    { name: variable, valueFrom: { secretKeyRef } },
    { name: 'EXPANDED', value: `with-$(${variable})` },
  ] as const;

/** What a Job's pod has until its controller has counted it. */
export const jobFinalizer = 'batch.kubernetes.io/job-tracking';

const owner = (apiVersion: string, kind: string, name: string): JsonObject => ({
  apiVersion,
  kind,
  name,
  uid: `${name}-1`,
  controller: true,
});
export const jobOwner = owner('batch/v1', 'Job', 'j');
export const daemonSetOwner = owner('apps/v1', 'DaemonSet', 'd');
