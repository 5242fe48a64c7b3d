import type { ClusterFault } from './cluster-fault.ts';

/** A request to an API server, with the operator's rights. */
export interface ApiRequest {
  /** From `/api` or `/apis` on, with its query. */
  readonly path: string;
  /** GET unless given. */
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Sent as JSON; a PATCH is a server-side apply. */
  readonly body?: object;
  /** Whom to act as. */
  readonly as?: { readonly user: string; readonly groups: readonly string[] };
  /** 15 s unless given; after it the server counts as one that does not answer. */
  readonly timeoutMs?: number;
  /** Sent even when the command was interrupted: to take away what it made. */
  readonly evenInterrupted?: true;
  /** A context of the kubeconfig other than that of --context, or the current one. */
  readonly context?: string | undefined;
}

export interface ApiAnswer {
  readonly kind: 'answered';
  /** 200 to 299. */
  readonly status: number;
  readonly text: string;
  /** From the answer's `Date` header, which has whole seconds; undefined when it had none. */
  readonly serverMs?: number;
}

/** Which contexts the kubeconfig has, and where each leads. */
export interface KubeContexts {
  readonly current: string | undefined;
  readonly contexts: readonly { readonly name: string; readonly server: string }[];
}

/** The cluster of a context. */
export interface ClusterPlace {
  /** Its name in the kubeconfig. */
  readonly name: string;
  readonly server: string;
  /** Undefined: the system's authorities. */
  readonly caPem: string | undefined;
}

/** The clusters of the operator's kubeconfig. Expected failures are values; no method rejects. */
export interface ClusterApi {
  /** Reads files only. */
  contexts(): Promise<KubeContexts | ClusterFault>;
  /** Where the context leads that is asked for, or the current one. Reads files only. */
  place(): Promise<ClusterPlace | ClusterFault>;
  /** One request, never repeated. An exec plugin runs at most once a minute. */
  send(request: ApiRequest): Promise<ApiAnswer | ClusterFault>;
}
