/** Whether a text can be a cluster's domain: lower case, no underscore, no variable of an environment. */
export const isClusterDomain = (text: string): boolean => /^[a-z0-9]([-a-z0-9.]{0,98}[a-z0-9])?$/.test(text);

/** How pods in a subnet resolve names of their cluster. */
export interface ClusterDns {
  /** One to three addresses. */
  readonly nameServers: readonly string[];
  /** Such as `cluster.local`. */
  readonly domain: string;
  /** Whether the name servers are ClusterIPs, which a group reaches only by its kube-proxy. */
  readonly viaServices: boolean;
}

/** How pods in a subnet reach ClusterIPs: what ACI's kube-proxy extension is given. */
export interface ClusterServices {
  readonly clusterCidr: string;
  /** Where the extension reaches the API server. */
  readonly server: string;
  /** The Secret that holds its token. */
  readonly secret: { readonly namespace: string; readonly name: string };
}

/** A ServiceAccount's token that lives as long as its Secret (type kubernetes.io/service-account-token). */
export interface ServicesCredential {
  readonly secretUid: string;
  readonly token: string;
  /** The API server's authority, PEM. */
  readonly caPem: string;
}

/** A Secret that the token controller has not filled yet. */
export interface EmptyServicesSecret {
  readonly missing: 'empty';
}

/** Why there is none: no such Secret, no right to read it, or no token in it yet. */
export interface NoServicesCredential {
  readonly missing: 'absent' | 'denied' | EmptyServicesSecret['missing'];
}
