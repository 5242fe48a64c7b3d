import { agentDelivery } from './delivery.ts';
import type { Delivery, DeliveryFacts } from './delivery.ts';
import { defaultDownloadImage } from './download.ts';

/** When a pod gets the agent: where it asks for something that only the agent gives, in any case, or never. */
export const agentModes = ['auto', 'always', 'never'] as const;
export type AgentMode = (typeof agentModes)[number];

/** How the agent comes into a group. */
export type AgentDelivery = Exclude<Delivery, { readonly kind: 'none' }>;

/** What of the agent is the same for all pods of a node; what is not said is as the settings are without a word. */
export interface AgentFacts extends Partial<Omit<DeliveryFacts, 'isInSubnet'>> {
  readonly mode: AgentMode;
  /** The app has nothing to make keys of, or not now: who can do without the agent runs without it, the others wait. */
  readonly isKeyless?: boolean;
}

/** How the agent comes into a group at that place, or why it can't. */
export const agentDeliveryAt = (
  { image, download = 'auto', downloadImage = defaultDownloadImage, appUrl, packaged }: AgentFacts,
  subnetId: string | undefined,
): Delivery => agentDelivery({ image, download, downloadImage, appUrl, packaged, isInSubnet: subnetId !== undefined });

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
