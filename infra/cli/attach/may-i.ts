import { servicesRules } from '../../../shared/core/access/roles.ts';
import { leaseNamespace } from '../../../shared/core/kubernetes/node.ts';
import { parseAccessReview } from '../../../shared/wire/kubernetes/access-review.ts';
import { createObject } from '../cluster/objects.ts';
import type { CliContext } from '../context.ts';
import type { AttachWants } from './wants.ts';

/** One right that is needed. */
export interface Need {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string;
}

const inNamespace: readonly (readonly [group: string, resource: string])[] = [
  ['', 'configmaps'],
  ['', 'secrets'],
  ['', 'services'],
  ['', 'serviceaccounts'],
  ['apps', 'deployments'],
  ['policy', 'poddisruptionbudgets'],
  ['networking.k8s.io', 'networkpolicies'],
  ['coordination.k8s.io', 'leases'],
  ['rbac.authorization.k8s.io', 'roles'],
  ['rbac.authorization.k8s.io', 'rolebindings'],
];
const inCluster: readonly (readonly [group: string, resource: string])[] = [
  ['', 'namespaces'],
  ['rbac.authorization.k8s.io', 'clusterroles'],
  ['rbac.authorization.k8s.io', 'clusterrolebindings'],
  ['admissionregistration.k8s.io', 'validatingadmissionpolicies'],
  ['admissionregistration.k8s.io', 'validatingadmissionpolicybindings'],
];

type NeedWants = Pick<AttachWants, 'namespace' | 'auth' | 'serving' | 'chart'> & {
  /** Whether pods are to reach Services. */
  readonly services: boolean;
};

/**
 * What helm and the steps around it need. Impersonation is among it, and what the account of Services reads, because
 * nobody can grant a right that they do not have (RBAC's escalation check).
 */
export function attachNeeds({ namespace, auth, serving, chart, services }: NeedWants): readonly Need[] {
  return [
    ...(chart === undefined ? [] : chartNeeds(namespace)),
    ...(chart === undefined || !services ? [] : servicesNeeds),
    // Helm keeps its release in one, and which of those of Services there are decides what becomes of them.
    ...(chart !== undefined || services ? [{ verb: 'get', group: '', resource: 'secrets', namespace }] : []),
    { verb: 'get', group: '', resource: 'nodes' },
    ...(auth === 'token' ? [{ verb: 'create', group: '', resource: 'serviceaccounts/token', namespace }] : []),
    ...servingNeeds(namespace, serving),
  ];
}

const chartNeeds = (namespace: string): readonly Need[] => [
  ...inCluster.map(([group, resource]) => ({ verb: 'create', group, resource })),
  ...inNamespace.map(([group, resource]) => ({ verb: 'create', group, resource, namespace })),
  { verb: 'create', group: 'rbac.authorization.k8s.io', resource: 'roles', namespace: leaseNamespace },
  { verb: 'impersonate', group: '', resource: 'users' },
];

const servicesNeeds: readonly Need[] = servicesRules.flatMap(({ apiGroups, resources, verbs }) =>
  apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => ({ verb, group, resource })))),
);

function servingNeeds(namespace: string, serving: AttachWants['serving']): readonly Need[] {
  switch (serving) {
    case 'csr':
      return [{ verb: 'create', group: 'certificates.k8s.io', resource: 'certificatesigningrequests' }];
    case 'cert-manager':
      return [{ verb: 'create', group: 'cert-manager.io', resource: 'certificates', namespace }];
    default:
      return [];
  }
}

/** Those of the needs that the kubeconfig's user does not have, such as `create clusterroles`. One request each. */
export async function missingRights(context: CliContext, needs: readonly Need[]): Promise<readonly string[]> {
  const reviewed = needs.map(async (need) => ({ need, isAllowed: await mayI(context, need) }));
  const missing = (await Promise.all(reviewed)).filter(({ isAllowed }) => !isAllowed);
  return [
    ...new Set(
      missing.map(
        ({ need: { verb, resource, namespace } }) =>
          `${verb} ${resource}${namespace === undefined ? '' : ` in ${namespace}`}`,
      ),
    ),
  ];
}

async function mayI(context: CliContext, { verb, group, resource, namespace }: Need): Promise<boolean> {
  const [name, subresource] = resource.split('/');
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb, group, resource: name, subresource, namespace } },
  };
  const answer = await createObject(context, '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review);
  return parseAccessReview(answer) ?? false;
}
