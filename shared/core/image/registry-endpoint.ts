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

/** Registries of Azure, in its public and sovereign clouds: no other host ever gets a token of an identity. */
const acrHost = /^[a-z0-9-]{5,63}\.azurecr\.(?:io|cn|us)$/;

export const isAcr = (registry: string): boolean => acrHost.test(registry);
