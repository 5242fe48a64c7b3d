/** The rights of an installation (`shared/core/access`) as Kubernetes objects, for a cluster to which no chart is installed. Pure. */
import { installationRoles, servicesSecrets } from '../../../shared/core/access/roles.ts';
import type { InstallationRole, PolicyRule } from '../../../shared/core/access/roles.ts';

/** Whom the rights are given to, and for which nodes. */
export interface AccessOptions {
  readonly namespace: string;
  readonly nodes: readonly string[];
  readonly appServiceAccount: string;
  readonly relayServiceAccount: string;
  /** Whether pods reach Services. */
  readonly services?: boolean;
}

/** A Kubernetes object, as far as RBAC needs one. */
export interface AccessObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly type?: string;
  readonly rules?: readonly PolicyRule[];
  readonly roleRef?: { readonly apiGroup: string; readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
}

/** Selects all that belongs to an installation's access. */
const accessLabel = 'app.kubernetes.io/managed-by';
const rbacGroup = 'rbac.authorization.k8s.io';

/**
 * All objects, in the order in which they have to be created: what the app and one relay need. A relay that is alone
 * elects no leader, and what drains before an uninstall comes and goes with the chart.
 */
export function accessObjects(options: AccessOptions): AccessObject[] {
  const { namespace, appServiceAccount, relayServiceAccount, services = false } = options;
  const labels = { [accessLabel]: namespace };
  const accounts = { app: appServiceAccount, relay: relayServiceAccount, services: 'services' };
  const present = Object.entries(accounts).filter(([program]) => program !== 'services' || services);
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    ...present.map(([, name]) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace, labels },
    })),
    ...installationRoles(options).flatMap((role) =>
      role.program === 'drain' || (role.program === 'relay' && role.namespace === namespace)
        ? []
        : roleObjects(role, { kind: 'ServiceAccount', name: accounts[role.program], namespace }, labels),
    ),
    ...(services ? [servicesSecret(namespace, labels)] : []),
  ];
}

/** Filled by the token controller. */
const servicesSecret = (namespace: string, labels: AccessObject['metadata']['labels']): AccessObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: servicesSecrets[0],
    namespace,
    labels,
    annotations: { 'kubernetes.io/service-account.name': 'services' },
  },
  type: 'kubernetes.io/service-account-token',
});

type Subject = NonNullable<AccessObject['subjects']>[number];

/** A role and its binding. */
export function roleObjects(
  { name, namespace, rules }: InstallationRole,
  subject: Subject,
  labels: AccessObject['metadata']['labels'],
): AccessObject[] {
  const apiVersion = `${rbacGroup}/v1`;
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  const metadata = namespace === undefined ? { name, labels } : { name, namespace, labels };
  const roleRef = { apiGroup: rbacGroup, kind, name };
  return [
    { apiVersion, kind, metadata, rules },
    { apiVersion, kind: `${kind}Binding`, metadata, roleRef, subjects: [subject] },
  ];
}
