import type { AgentMode } from '../../agent/agent-facts.ts';

/** What a pod's annotations ask of its group, beyond what a PodSpec can say. */
export interface GroupWishes {
  /** Resource ids of user-assigned identities, each once. */
  readonly identities: readonly string[];
  /** Resource id; `none`: outside of every subnet; absent: as the node. */
  readonly subnet?: string;
  /** `''`: any; absent: as the node. */
  readonly zone?: '1' | '2' | '3' | '';
  readonly priority?: 'Regular' | 'Spot';
  readonly sku?: 'Standard' | 'Confidential';
  /** Base64. */
  readonly ccePolicy?: string;
  /** A name of LOG_ANALYTICS_WORKSPACES; `none`; absent: the one that is called `default`. */
  readonly workspace?: string;
  /** `false`: the cluster's DNS is not set; absent: as the node. */
  readonly dns?: boolean;
  /** `false`: no kube-proxy is added; absent: as the node. */
  readonly kubeProxy?: boolean;
  /** `false`: no realtime-metrics is added; absent: as the node. */
  readonly realtimeMetrics?: boolean;
  /** In place of the setting AGENT. */
  readonly agent?: AgentMode;
  readonly dnsNameLabel?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly vaultBaseUrl?: string;
  readonly keyName?: string;
  readonly keyVersion?: string;
  readonly keyIdentity?: string;
}

export type Wish = keyof GroupWishes;
