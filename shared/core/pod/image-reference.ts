import { splitDomain } from './image-name.ts';

/** Names under which Docker Hub is known; ACI wants the last. */
const dockerHub = 'index.docker.io';
const dockerHubNames: ReadonlySet<string> = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
]);

const canonical = (host: string): string => (dockerHubNames.has(host) ? dockerHub : host);

export interface RegistryLocation {
  readonly host: string;
  /** What follows the host: `team/app` of an image; a prefix of that, or empty, of a credential. */
  readonly path: string;
}

/** Where an image comes from: `nginx` is Docker Hub's `library/nginx`. Tag and digest are cut off. */
export function imageLocation(image: string): RegistryLocation {
  const { host, rest } = splitDomain(image.split('@', 1)[0] ?? '');
  return { host: canonical(host), path: rest.replace(/:[^/:]*$/, '') };
}

/** What follows the name: a tag, a digest, both or neither. */
export function imageVersion(image: string): { readonly tag: string | undefined; readonly digest: string | undefined } {
  const [name = '', digest] = image.split('@', 2);
  return { tag: /:(?<tag>[^/:]+)$/.exec(name)?.groups?.['tag'], digest };
}

/** Where a credential is for. Keys of Docker's configuration may carry a scheme and an API version. */
export function credentialLocation(key: string): RegistryLocation {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  const host = canonical(slash < 0 ? bare : bare.slice(0, slash));
  const path = slash < 0 ? '' : bare.slice(slash + 1);
  return { host, path: /^v[12]$/.test(path) ? '' : path };
}

/** `*` stands for a part of one label of the host name. */
function hostMatches(pattern: string, host: string): boolean {
  const labels = host.split('.');
  const patterns = pattern.split('.');
  if (labels.length !== patterns.length) return false;
  return patterns.every((part, index) => {
    const label = labels[index] ?? '';
    const [start = '', ...rest] = part.split('*');
    if (rest.length === 0) return part === label;
    const end = rest.at(-1) ?? '';
    return (
      rest.length === 1 && label.length >= start.length + end.length && label.startsWith(start) && label.endsWith(end)
    );
  });
}

/** Whether a credential is for an image: the host matches, and the path begins with the credential's. */
export const locationMatches = (credential: RegistryLocation, image: RegistryLocation): boolean =>
  hostMatches(credential.host, image.host) &&
  (credential.path === '' || image.path === credential.path || image.path.startsWith(`${credential.path}/`));
