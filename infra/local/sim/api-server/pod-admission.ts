/** What admission adds to a new pod: ServiceAccount, DefaultTolerationSeconds, Priority, PodTopologyLabels. */
import { randomBytes } from 'node:crypto';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { withAccountToken } from '../../../../shared/core/kubernetes/account-token.ts';
import type { ClusterState } from './cluster-state.ts';
import { labelsOf, nameOf, namespaceOf, numberAt, objectsAt, specOf, textAt, withMeta } from './json-access.ts';
import { done, forbidden, refuse } from './status-error.ts';
import type { StatusResult } from './status-error.ts';
import { nodes, priorityClasses, serviceAccounts } from './resources.ts';

const evictionSeconds = 300;

export function admitPod(state: ClusterState, pod: JsonObject): StatusResult<JsonObject> {
  const placed = withMeta(pod, { labels: { ...labelsOf(pod), ...topologyOf(state, textAt(specOf(pod), 'nodeName')) } });
  const prioritised = withPriority(state, withTolerations(placed));
  return prioritised.ok ? withServiceAccount(state, prioritised.value) : prioritised;
}

const topologyLabels = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone'];

/** What a pod's labels take from its node when it is bound (KEP-4742); nothing from a node that is not there. */
export function topologyOf(state: ClusterState, node: string): JsonObject {
  const labels = labelsOf(state.store.get(nodes, { namespace: '', name: node }) ?? {});
  return Object.fromEntries(Object.entries(labels).filter(([name]) => topologyLabels.includes(name)));
}

/** Five minutes on a node that is not ready or unreachable, unless the pod speaks of that itself. Of updates as well. */
export function withTolerations(pod: JsonObject): JsonObject {
  const spec = specOf(pod);
  const tolerations = objectsAt(spec, 'tolerations');
  const missing = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].filter(
    (key) =>
      !tolerations.some(
        (one) => [key, ''].includes(textAt(one, 'key')) && ['NoExecute', ''].includes(textAt(one, 'effect')),
      ),
  );
  const added = missing.map((key) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: evictionSeconds,
  }));
  return { ...pod, spec: { ...spec, tolerations: [...tolerations, ...added] } };
}

const systemPriorities: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

function withPriority(state: ClusterState, pod: JsonObject): StatusResult<JsonObject> {
  const spec = specOf(pod);
  const name = textAt(spec, 'priorityClassName');
  const chosen =
    name === ''
      ? [...state.store.all(priorityClasses)].find((one) => one['globalDefault'] === true)
      : state.store.get(priorityClasses, { namespace: '', name });
  const priority = chosen === undefined ? systemPriorities[name] : (numberAt(chosen, 'value') ?? 0);
  if (name !== '' && priority === undefined)
    return refuse(forbidden({ kind: 'pods', name: nameOf(pod) }, `no PriorityClass with name ${name} was found`));
  const policy = chosen === undefined ? '' : textAt(chosen, 'preemptionPolicy');
  return done({
    ...pod,
    spec: {
      ...spec,
      priority: priority ?? 0,
      preemptionPolicy: policy === '' ? 'PreemptLowerPriority' : policy,
      ...(name === '' && chosen !== undefined ? { priorityClassName: nameOf(chosen) } : {}),
    },
  });
}

function withServiceAccount(state: ClusterState, pod: JsonObject): StatusResult<JsonObject> {
  const given = specOf(pod);
  const namespace = namespaceOf(pod);
  const name = textAt(given, 'serviceAccountName') || 'default';
  const account = state.store.get(serviceAccounts, { namespace, name });
  if (account === undefined)
    return refuse(
      forbidden(
        { kind: 'pods', name: nameOf(pod) },
        `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
      ),
    );
  const secrets = objectsAt(account, 'imagePullSecrets');
  const spec: JsonObject = {
    ...given,
    serviceAccountName: name,
    serviceAccount: name,
    ...(objectsAt(given, 'imagePullSecrets').length === 0 && secrets.length > 0 ? { imagePullSecrets: secrets } : {}),
  };
  const isMounted = given['automountServiceAccountToken'] ?? account['automountServiceAccountToken'] ?? true;
  return done({ ...pod, spec: isMounted === true ? withAccountToken(spec, tokenVolumeName()) : spec });
}

const tokenVolumeName = (): string => `kube-api-access-${randomBytes(4).toString('hex').slice(0, 5)}`;
