/** The pods that a workload's controller would make, as the API server would show them (https://kubernetes.io/docs/concepts/workloads/). */
import { defined } from '../defined.ts';
import { isJsonObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { numberAt, objectAt, objectsAt, textAt } from '../json-access.ts';
import { withAccountToken } from './account-token.ts';
import { defaultPod } from './pod-defaults.ts';

/** One pod, of which the workload has so many alike. */
export interface WorkloadPod {
  /** A whole `v1.Pod` with what the API server and its admission fill in. */
  readonly pod: JsonObject;
  /** The spec as it was written: without defaults. */
  readonly written: JsonObject;
  /** How many the workload asks for; of a DaemonSet it is one for each node. */
  readonly replicas: number;
  /** Where in the document the spec is: `spec.template.spec`. */
  readonly specPath: readonly string[];
}

interface Kind {
  readonly specPath: readonly string[];
  readonly restartPolicies: readonly string[];
  readonly replicas: (spec: JsonObject) => number;
}

const template = ['spec', 'template', 'spec'];
const count = (spec: JsonObject): number => numberAt(spec, 'replicas') ?? 1;
const parallel = (spec: JsonObject): number => numberAt(spec, 'parallelism') ?? 1;
const forEver = ['Always'];
const toAnEnd = ['OnFailure', 'Never'];

const kinds: ReadonlyMap<string, Kind> = new Map([
  ['Pod', { specPath: ['spec'], restartPolicies: ['Always', ...toAnEnd], replicas: () => 1 }],
  ['Deployment', { specPath: template, restartPolicies: forEver, replicas: count }],
  ['ReplicaSet', { specPath: template, restartPolicies: forEver, replicas: count }],
  ['ReplicationController', { specPath: template, restartPolicies: forEver, replicas: count }],
  ['StatefulSet', { specPath: template, restartPolicies: forEver, replicas: count }],
  ['DaemonSet', { specPath: template, restartPolicies: forEver, replicas: () => 1 }],
  ['Job', { specPath: template, restartPolicies: toAnEnd, replicas: parallel }],
  [
    'CronJob',
    { specPath: ['spec', 'jobTemplate', 'spec', 'template', 'spec'], restartPolicies: toAnEnd, replicas: parallel },
  ],
]);

/** The groups that these kinds are of; another group's `Job` is somebody's own. */
const groups: ReadonlySet<string> = new Set(['', 'apps', 'batch']);

/** Where the spec of its pods is; undefined: the object has none that is known. */
export function podSpecPath(object: JsonObject): readonly string[] | undefined {
  const version = textAt(object, 'apiVersion');
  const group = version.includes('/') ? (version.split('/')[0] ?? '') : '';
  return groups.has(group) ? kinds.get(textAt(object, 'kind'))?.specPath : undefined;
}

/** What `restartPolicy` the API server takes of the pods of such a workload. */
export const restartPoliciesOf = (kind: string): readonly string[] => kinds.get(kind)?.restartPolicies ?? [];

const at = (object: JsonObject, path: readonly string[]): JsonObject =>
  path.reduce((parent, name) => objectAt(parent, name), object);

/** The first of its pods; undefined: it makes none. `namespace`: where it is created if it says nothing. */
export function podOfWorkload(object: JsonObject, namespace: string): WorkloadPod | undefined {
  const specPath = podSpecPath(object);
  const kind = kinds.get(textAt(object, 'kind'));
  if (specPath === undefined || kind === undefined) return undefined;
  const written = at(object, specPath);
  const owner = at(object, specPath.slice(0, -2));
  const controlled = controlledPod(object, at(object, specPath.slice(0, -1)), written);
  const metadata = {
    ...controlled.metadata,
    namespace: textAt(objectAt(object, 'metadata'), 'namespace') || namespace,
  };
  return {
    pod: admitted({ apiVersion: 'v1', kind: 'Pod', metadata, spec: controlled.spec }),
    written: controlled.spec,
    replicas: Math.max(0, kind.replicas(owner)),
    specPath,
  };
}

interface Controlled {
  readonly metadata: JsonObject;
  readonly spec: JsonObject;
}

/** Random letters that the API server puts after a `generateName`. */
const suffix = 'xxxxx';
const uid = '00000000-0000-4000-8000-000000000000';

function controlledPod(object: JsonObject, template: JsonObject, spec: JsonObject): Controlled {
  const kind = textAt(object, 'kind');
  const { name, generateName } = {
    name: nameOf(object),
    generateName: textAt(objectAt(object, 'metadata'), 'generateName'),
  };
  const own = { ...objectAt(template, 'metadata'), uid };
  if (kind === 'Pod') return { metadata: { ...own, name: name || `${generateName || 'pod-'}${suffix}` }, spec };
  const ownerKind = kind === 'Deployment' ? 'ReplicaSet' : kind === 'CronJob' ? 'Job' : kind;
  const owned = { ...own, ownerReferences: [{ kind: ownerKind, name, uid, controller: true }] };
  if (kind === 'StatefulSet') return statefulPod(object, owned, spec);
  const job = kind === 'CronJob' ? at(object, ['spec', 'jobTemplate']) : object;
  if (textAt(objectAt(job, 'spec'), 'completionMode') === 'Indexed') return indexedPod(name, owned, spec);
  return { metadata: { ...owned, name: `${name || generateName}-${suffix}` }, spec };
}

const nameOf = (object: JsonObject): string => textAt(objectAt(object, 'metadata'), 'name');

/** Its name, its host name and its claims (pkg/controller/statefulset/stateful_set_utils.go). */
function statefulPod(object: JsonObject, metadata: JsonObject, spec: JsonObject): Controlled {
  const set = objectAt(object, 'spec');
  const name = `${nameOf(object)}-0`;
  const claims = objectsAt(set, 'volumeClaimTemplates').map(nameOf);
  const others = objectsAt(spec, 'volumes').filter((volume) => !claims.includes(textAt(volume, 'name')));
  const volumes = [
    ...claims.map((claim) => ({ name: claim, persistentVolumeClaim: { claimName: `${claim}-${name}` } })),
    ...others,
  ];
  const subdomain = textAt(set, 'serviceName');
  const labels = { 'statefulset.kubernetes.io/pod-name': name, 'apps.kubernetes.io/pod-index': '0' };
  return {
    metadata: { ...metadata, name, labels: { ...objectAt(metadata, 'labels'), ...labels } },
    spec: {
      ...spec,
      hostname: name,
      ...(subdomain !== '' && { subdomain }),
      ...((volumes.length > 0 || spec['volumes'] !== undefined) && { volumes }),
    },
  };
}

const indexAnnotation = 'batch.kubernetes.io/job-completion-index';
const indexVariable = {
  name: 'JOB_COMPLETION_INDEX',
  valueFrom: { fieldRef: { fieldPath: `metadata.annotations['${indexAnnotation}']` } },
};

/** Its index, by annotation, environment and host name (pkg/controller/job/indexed_job_utils.go). */
function indexedPod(name: string, metadata: JsonObject, spec: JsonObject): Controlled {
  const withIndex = (container: JsonObject): JsonObject => {
    const env = objectsAt(container, 'env');
    const isThere = env.some((variable) => textAt(variable, 'name') === indexVariable.name);
    return isThere ? container : { ...container, env: [...env, indexVariable] };
  };
  const lists = ['initContainers', 'containers'].filter((list) => spec[list] !== undefined);
  return {
    metadata: {
      ...metadata,
      name: `${name}-0-${suffix}`,
      annotations: { ...objectAt(metadata, 'annotations'), [indexAnnotation]: '0' },
    },
    spec: {
      ...spec,
      ...Object.fromEntries(lists.map((list) => [list, objectsAt(spec, list).map(withIndex)])),
      hostname: `${name}-0`,
    },
  };
}

/** The defaults, and what the admission plugin ServiceAccount adds, of an account that says nothing itself. */
function admitted(pod: JsonObject): JsonObject {
  const defaulted = defaultPod(pod);
  const spec = objectAt(defaulted, 'spec');
  const account = textAt(spec, 'serviceAccountName') || 'default';
  const named = { ...spec, serviceAccountName: account, serviceAccount: account };
  return {
    ...defaulted,
    spec: spec['automountServiceAccountToken'] === false ? named : withAccountToken(named, 'kube-api-access'),
  };
}

/** The objects of a `List` of any kind, each with its own kind; the object itself where it is none. */
export function itemsOf(
  object: JsonObject,
): readonly { readonly object: JsonObject; readonly path: readonly (string | number)[] }[] {
  const kind = textAt(object, 'kind');
  const items: Json | undefined = object['items'];
  if (!kind.endsWith('List') || !Array.isArray(items)) return [{ object, path: [] }];
  const inherited = { apiVersion: object['apiVersion'], kind: kind.slice(0, -'List'.length) || undefined };
  return items.flatMap((item: Json, index) =>
    isJsonObject(item)
      ? itemsOf({ ...defined(inherited), ...item }).map((one) => ({ ...one, path: ['items', index, ...one.path] }))
      : [],
  );
}
