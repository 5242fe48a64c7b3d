/** What a pod's containers may refer to, as the API server gave it. */
export interface SecretData {
  readonly type: string;
  /** Decoded bytes. */
  readonly data: Readonly<Record<string, Uint8Array>>;
}

export interface ConfigMapData {
  readonly data: Readonly<Record<string, string>>;
  readonly binaryData: Readonly<Record<string, Uint8Array>>;
}

/** A service that has a cluster IP. */
export interface ServiceInfo {
  readonly name: string;
  readonly namespace: string;
  readonly clusterIP: string;
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol: string }[];
}

/** A TokenRequest bound to one pod; the Node authorizer grants no other. */
export interface TokenRequest {
  readonly namespace: string;
  readonly serviceAccountName: string;
  /** Empty: the API server's default audience. */
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly pod: { readonly name: string; readonly uid: string };
}
