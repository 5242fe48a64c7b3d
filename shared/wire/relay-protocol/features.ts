/**
 * What the relay's kubelet ports serve that the API server learns of by the Node (`status.declaredFeatures`, KEP-5328).
 * In a header of each post, so that an app which does not know it reads the post all the same.
 */
const relayFeatures = ['ExtendWebSocketsToKubelet'] as const;
export type RelayFeature = (typeof relayFeatures)[number];

export const featuresHeader = 'x-serverless-kubelet-features';

/** All that this relay serves. */
export const servedFeatures: readonly RelayFeature[] = relayFeatures;

export const formatFeatures = (features: readonly RelayFeature[]): string => features.join(', ');

/** Those that this app knows, sorted, each once, as the API server takes them; none of an older relay. */
export function parseFeatures(header: string | undefined): readonly RelayFeature[] {
  const named = new Set((header ?? '').split(',').map((name) => name.trim()));
  return relayFeatures.filter((feature) => named.has(feature)).toSorted();
}
