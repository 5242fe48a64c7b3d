import type { ClusterState } from '../../sim/api-server/cluster-state.ts';
import type { KeyPair } from '../../pki.ts';

/** The certificate shown to kubelets; theirs are not verified, as without `--kubelet-certificate-authority`. */
export interface KubeletCaller {
  readonly certificate: KeyPair;
}

/** What the handlers of one server share. */
export interface Serving {
  /** Another one after the cluster was rebuilt. */
  readonly state: () => ClusterState;
  /** Ends every watch. */
  readonly stop: () => AbortSignal;
  readonly bookmarkMs: number;
  /** The client by which the API server calls kubelets. */
  readonly kubelet: KubeletCaller;
}
