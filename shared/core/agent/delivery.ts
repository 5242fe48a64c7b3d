/** What decides how the agent comes into a group. */
export interface DeliveryFacts {
  /** The setting AGENT_IMAGE. */
  readonly image: string | undefined;
  /** AGENT_DOWNLOAD. */
  readonly download: 'auto' | 'always' | 'never';
  /** AGENT_DOWNLOAD_IMAGE. */
  readonly downloadImage: string;
  /** `https://…`, without a slash at its end; undefined: the app does not know it. */
  readonly appUrl: string | undefined;
  /** Hash of the program that the app was deployed with; undefined: it was deployed without. */
  readonly packaged: string | undefined;
  readonly isInSubnet: boolean;
}

export type Delivery =
  | { readonly kind: 'image'; readonly image: string }
  | { readonly kind: 'download'; readonly image: string; readonly url: string; readonly sha256: string }
  /** It can't; half a sentence says why, another one what to do. */
  | { readonly kind: 'none'; readonly why: string; readonly wayOut: string };

/** Below the app's URL; `functions/agent-download.ts` answers. */
const downloadPath = (sha256: string): string => `/api/agent/${sha256}`;

/** By its image wherever there is one; from the app where a setting allows it, which by default is outside of a subnet. Pure. */
export function agentDelivery(facts: DeliveryFacts): Delivery {
  const { image, download, downloadImage, appUrl, packaged, isInSubnet } = facts;
  const wayOut = 'kubectl aci agent publish puts it into a registry';
  if (image !== undefined) return { kind: 'image', image };
  if (download === 'never' || (download === 'auto' && isInSubnet))
    return {
      kind: 'none',
      why: `there is no image of the agent (AGENT_IMAGE), and AGENT_DOWNLOAD is ${download}${download === 'auto' ? ', which means not in a subnet' : ''}`,
      wayOut,
    };
  if (packaged === undefined || appUrl === undefined)
    return {
      kind: 'none',
      why: packaged === undefined ? 'this app was packaged without the agent' : 'the app does not know its own address',
      wayOut,
    };
  return { kind: 'download', image: downloadImage, url: `${appUrl}${downloadPath(packaged)}`, sha256: packaged };
}
