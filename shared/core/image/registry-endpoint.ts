/** By host, the origin that an operator wants asked instead: `{ 'quay.io': 'http://127.0.0.1:5000' }`. */
export type MappedEndpoints = Readonly<Record<string, string>>;

/** The host that a registry is asked at: Docker Hub's is none of its names. */
export const registryHost = (registry: string): string =>
  registry === 'index.docker.io' ? 'registry-1.docker.io' : registry;

/**
 * The origin that stands for a host, or undefined: the host itself, over TLS. What an operator maps may have an address of
 * his own network and speak plain http.
 */
export const mappedOrigin = (host: string, endpoints: MappedEndpoints): string | undefined =>
  Object.hasOwn(endpoints, host) ? endpoints[host] : undefined;
