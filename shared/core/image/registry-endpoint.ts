/** Where a registry is asked. */
export interface RegistryEndpoint {
  /** `https://registry-1.docker.io`, without a path. */
  readonly origin: string;
  /** An operator named it: addresses of its own network and plain http are allowed. */
  readonly isMapped: boolean;
}

/** By host of the registry (`index.docker.io` for Docker Hub), the origin that an operator wants asked instead. */
export type MappedEndpoints = Readonly<Record<string, string>>;

/** The registry's own host over TLS, unless an operator maps it. */
export function registryEndpoint(registry: string, mapped: MappedEndpoints): RegistryEndpoint {
  const origin = Object.hasOwn(mapped, registry) ? mapped[registry] : undefined;
  if (origin !== undefined) return { origin, isMapped: true };
  return { origin: `https://${registry === 'index.docker.io' ? 'registry-1.docker.io' : registry}`, isMapped: false };
}
