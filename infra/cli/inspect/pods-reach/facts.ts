import type { ClusterRegistration } from '../../../../shared/wire/settings.ts';
import type { Part } from '../observed.ts';
import type { ReachReport } from './report.ts';

/** What the three containers of the pod reported; unreadable: that log could not be had. */
export interface ReachReports {
  readonly init: Part<ReachReport>;
  readonly musl: Part<ReachReport>;
  readonly glibc: Part<ReachReport>;
}

/** How the subnet's packets leave it, as far as az says it. */
export type WayOut =
  | { readonly kind: 'nat' | 'default' | 'none' | 'unknown' }
  | { readonly kind: 'appliance'; readonly address: string };

/** What is known of the AKS cluster. */
export interface AksSeen {
  readonly name: string;
  readonly isPrivate: boolean;
  /** Whether addresses of pods are hidden from the virtual network. */
  readonly hidesPods: boolean;
  readonly authorizedRanges: readonly string[];
}

/** What is registered, and what else is known that separates one cause from another. */
export interface ReachFacts {
  readonly hasSubnet: boolean;
  readonly dns: ClusterRegistration['dns'];
  readonly services: ClusterRegistration['services'];
  /** Host and port that pods have in KUBERNETES_SERVICE_HOST; undefined: the ClusterIP. */
  readonly apiServer: { readonly host: string; readonly port: number } | undefined;
  /** `ADDRESS:PORT` of the Service kubernetes, of a pod of the cluster's DNS, and what was asked for outside. */
  readonly service: string | undefined;
  readonly pod: string | undefined;
  readonly outside: string;
  /** How many pods of the cluster's DNS are ready. */
  readonly dnsPods: Part<number>;
  /** What the account of ACI's kube-proxy may not do. */
  readonly missingRights: Part<readonly string[]>;
  readonly aks: Part<AksSeen>;
  readonly wayOut: WayOut;
}
