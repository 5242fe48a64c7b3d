/** A DNS label of at most 63 characters, as Kubernetes and ACI name containers. */
export const isContainerName = (name: string): boolean => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name);
