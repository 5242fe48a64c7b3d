/** When a pod gets the agent: where it asks for something that only the agent gives, in any case, or never. */
export const agentModes = ['auto', 'always', 'never'] as const;
export type AgentMode = (typeof agentModes)[number];

/** How the agent comes into a group. */
export type AgentDelivery =
  /** An image with nothing in it but the program. */
  | {
      readonly kind: 'image';
      /** By its digest. */
      readonly image: string;
    }
  /** A public busybox fetches the program and compares its hash. */
  | {
      readonly kind: 'download';
      /** Of busybox. */
      readonly image: string;
      readonly url: string;
      /** Of the program, 64 hexadecimal digits. */
      readonly sha256: string;
    };

/** What of the agent is the same for all pods of a node. Without an image and a download there is none. */
export interface AgentFacts {
  readonly mode: AgentMode;
  /** By its digest. */
  readonly image?: string;
  /** Where there is no image. */
  readonly download?: Omit<Extract<AgentDelivery, { readonly kind: 'download' }>, 'kind'> & {
    /** Also in a subnet, where names may not be resolved while init containers run. */
    readonly inSubnet: boolean;
  };
}

/** How the agent comes into a group at that place; undefined: it can't. */
export function agentDelivery(
  { image, download }: Pick<AgentFacts, 'image' | 'download'>,
  subnetId: string | undefined,
): AgentDelivery | undefined {
  if (image !== undefined) return { kind: 'image', image };
  if (download === undefined || (subnetId !== undefined && !download.inSubnet)) return undefined;
  return { kind: 'download', image: download.image, url: download.url, sha256: download.sha256 };
}

/** What the agents of one group speak to the app with: made anew for each PUT. */
export interface AgentAccess {
  /** `https://APP/api/pods/UID/reports` */
  readonly reportUrl: string;
  /** `https://APP/api/pods/UID/files` */
  readonly filesUrl: string;
  /** Names the root key that `key` is derived from. */
  readonly kid: string;
  /** Base64. */
  readonly key: string;
  readonly nonce: string;
  /** Certificates in PEM that agents trust beside their own. */
  readonly roots?: string;
}

/** `sha256:…` of what has to be kept while a group was made with it. */
export function deliveryDigest(delivery: AgentDelivery): string {
  return delivery.kind === 'download' ? `sha256:${delivery.sha256}` : (delivery.image.split('@', 2)[1] ?? '');
}
