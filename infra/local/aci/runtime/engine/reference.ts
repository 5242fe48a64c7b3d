import type { ImageFault, RegistryCredential } from '../runtime.ts';

/**
 * The full form of an image name: `perl:5.34.0` is `docker.io/library/perl:5.34.0`, a name without tag and digest
 * gets `:latest`. What is full already stays as it is.
 */
export function normalizeImage(image: string): string {
  const [name = '', digest] = image.trim().split('@', 2);
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasRegistry = first === 'localhost' || /[.:]/u.test(first);
  const registry = hasRegistry ? first : 'docker.io';
  const path = hasRegistry ? name.slice(slash + 1) : name;
  const hub = registry === 'docker.io' || registry === 'index.docker.io' || registry === 'registry-1.docker.io';
  const repository = hub && !path.includes('/') ? `library/${path}` : path;
  const tagged = digest !== undefined || repository.lastIndexOf(':') > repository.lastIndexOf('/');
  const suffix = digest === undefined ? (tagged ? '' : ':latest') : `@${digest}`;
  return `${hub ? 'docker.io' : registry}/${repository}${suffix}`;
}

/** The registry of a normalized image name. */
export function registryOf(normalized: string): string {
  return normalized.slice(0, normalized.indexOf('/'));
}

/** The credential whose `server` is the registry of the image; `https://` and a trailing path or slash do not count. */
export function credentialFor(
  normalized: string,
  credentials: readonly RegistryCredential[],
): RegistryCredential | undefined {
  const registry = registryOf(normalized);
  return credentials.find((credential) => serverName(credential.server) === registry);
}

/** The registry that a credential's `server` names, however it is written. */
export function serverName(server: string): string {
  const host = server.replace(/^https?:\/\//u, '').replace(/\/.*$/u, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

const reasons: readonly (readonly [RegExp, ImageFault['reason']])[] = [
  [
    /no such host|dial tcp|i\/o timeout|connection refused|timed out|TLS handshake|x509|network is unreachable/iu,
    'unavailable',
  ],
  [/toomanyrequests|too many requests|status(?: code)?:? (?:429|5\d\d)|service unavailable/iu, 'unavailable'],
  [/unauthorized|authentication required|denied|forbidden|status(?: code)?:? 40[13]/iu, 'denied'],
  [
    /manifest unknown|name unknown|not found|no such image|does not exist|invalid reference|status(?: code)?:? 404/iu,
    'not-found',
  ],
];

/**
 * What a failed pull means, from the engine's sentence: an unreachable or overloaded registry is `unavailable`, 401
 * and 403 are `denied`, an unknown name or manifest is `not-found`. What is not understood is `unavailable`: it may pass.
 */
export function imageFault(image: string, sentence: string): ImageFault {
  const reason = reasons.find(([pattern]) => pattern.test(sentence))?.[1] ?? 'unavailable';
  return { kind: 'image-fault', reason, message: `pull of ${image} failed: ${sentence}` };
}
