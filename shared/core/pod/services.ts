import { tagNames } from '../group/identity.ts';
import type { GroupExtension } from '../group/group.ts';
import type { ClusterServices, NoServicesCredential, ServicesCredential } from '../kubernetes/cluster-reach.ts';
import { isConfidential } from './annotations/placed.ts';
import type { GroupWishes } from './annotations/wishes.ts';
import { configError, ok } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { injectKubeProxy } from './annotations/readers.ts';
import type { InspectionFacts, NodeFacts } from './translation.ts';

/** The only version that is known, of the extension and of the kube-proxy in it (docs/aci.md, Requests). */
const extensionVersion = '1.0';
const kubeVersion = 'v1.9.10';

/** Why a group has no kube-proxy, to complete "the pod …"; undefined: it has one. */
export function withoutServices(
  { subnetId, services }: Pick<InspectionFacts, 'subnetId' | 'services'>,
  wishes: GroupWishes,
): string | undefined {
  if (services === undefined) return 'is in a cluster that is registered without services';
  if (subnetId === undefined) return 'is in no subnet';
  if (wishes.kubeProxy === false) return `has the annotation ${injectKubeProxy}: "false"`;
  // ACI takes no extensions in Confidential groups.
  return isConfidential(wishes) ? 'is Confidential' : undefined;
}

export interface GroupServices {
  readonly extensions?: readonly GroupExtension[];
  /** Which credential the group holds: while a group has it, its Secret must stay. */
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * ACI's kube-proxy extension, by which the containers of a group reach ClusterIPs. Its credential is waited for: a group
 * that was made without one would never have Services.
 */
export function groupServices(
  facts: Pick<NodeFacts, 'subnetId' | 'services'>,
  wishes: GroupWishes,
  credential: ServicesCredential | NoServicesCredential | undefined,
): Evaluation<GroupServices> {
  const { services } = facts;
  if (services === undefined || withoutServices(facts, wishes) !== undefined) return ok({ tags: {} });
  if (credential === undefined || 'missing' in credential)
    return configError(describeMissing(services.secret, credential?.missing ?? 'absent'));
  return ok({
    extensions: [
      {
        name: 'kube-proxy',
        extensionType: 'kube-proxy',
        version: extensionVersion,
        settings: { clusterCidr: services.clusterCidr, kubeVersion },
        protectedSettings: { kubeConfig: Buffer.from(kubeconfig(services.server, credential)).toString('base64') },
      },
    ],
    tags: { [tagNames.services]: `${services.secret.name}/${credential.secretUid}` },
  });
}

function describeMissing(
  { namespace, name }: ClusterServices['secret'],
  missing: NoServicesCredential['missing'],
): string {
  const whatElse = `a pod that needs no Services can do without by the annotation ${injectKubeProxy}: "false"`;
  const secret = `the Secret ${namespace}/${name} with the token of the Services`;
  switch (missing) {
    case 'absent':
      return `${secret} does not exist: run serverless-kubelet attach again; ${whatElse}`;
    case 'denied':
      return `the app may not read ${secret}: run serverless-kubelet attach again, which gives it the Role services-credential; ${whatElse}`;
    case 'empty':
      return `${secret} has no token yet: kube-controller-manager writes it within seconds, if the ServiceAccount services exists; ${whatElse}`;
  }
}

/** Without folders or references: the extension has nothing but this text. */
const kubeconfig = (server: string, { token, caPem }: ServicesCredential): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'cluster',
        cluster: { server, 'certificate-authority-data': Buffer.from(caPem).toString('base64') },
      },
    ],
    users: [{ name: 'services', user: { token } }],
    contexts: [{ name: 'services', context: { cluster: 'cluster', user: 'services' } }],
    'current-context': 'services',
  });
