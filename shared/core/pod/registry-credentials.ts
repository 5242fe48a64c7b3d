import { isJsonObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import type { GroupBody } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { SecretData } from '../kubernetes/references.ts';
import { credentialLocation, imageLocation, locationMatches } from './image-reference.ts';
import type { RegistryLocation } from './image-reference.ts';
import type { Notice, ResolvedReferences } from './translation.ts';

type GroupCredential = GroupBody['imageRegistryCredentials'][number];

export interface RegistryCredentials {
  /** One a server at most, sorted by server. */
  readonly credentials: readonly GroupCredential[];
  readonly notices: readonly Notice[];
}

interface Login {
  readonly location: RegistryLocation;
  readonly username: string;
  readonly password: string;
}

function parseJson(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(new TextDecoder().decode(bytes));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/** `auth` is base64 of `user:password` and wins, as in Docker's own configuration. */
function toLogin(server: string, entry: Json | undefined): Login | undefined {
  if (!isJsonObject(entry)) return undefined;
  const decoded = new TextDecoder().decode(Buffer.from(text(entry.auth), 'base64'));
  const colon = decoded.indexOf(':');
  const username = colon > 0 ? decoded.slice(0, colon) : text(entry.username);
  const password = colon > 0 ? decoded.slice(colon + 1).replace(/\0+$/, '') : text(entry.password);
  return username === '' || password === '' ? undefined : { location: credentialLocation(server), username, password };
}

/** The logins of a pull secret, or undefined when it is none: wrong type, no JSON. */
function logins(secret: SecretData): readonly Login[] | undefined {
  const modern = secret.data['.dockerconfigjson'];
  const legacy = secret.data['.dockercfg'];
  const file = modern === undefined ? undefined : parseJson(modern);
  const servers = file === undefined ? (legacy === undefined ? undefined : parseJson(legacy)) : file.auths;
  if (!isJsonObject(servers)) return undefined;
  return Object.entries(servers)
    .map(([server, entry]) => toLogin(server, entry))
    .filter((login) => login !== undefined);
}

const missingNotice = (names: readonly string[]): readonly Notice[] =>
  names.length === 0
    ? []
    : [
        {
          type: 'Warning',
          reason: 'FailedToRetrieveImagePullSecret',
          message: `Unable to retrieve some image pull secrets (${names.join(', ')}); attempting to pull the image may not succeed.`,
        },
      ];

/** Of the pull secrets those logins that are for the image, as a kubelet tries them: the most specific first. */
export function imageLogins(
  image: string,
  names: readonly { readonly name: string }[],
  secrets: ResolvedReferences['secrets'],
): readonly { readonly username: string; readonly password: string }[] {
  const known = names.flatMap(({ name }) => {
    const secret = secrets.get(name);
    return secret === undefined ? [] : (logins(secret) ?? []);
  });
  return fittingLogins(imageLocation(image), known).map(({ username, password }) => ({ username, password }));
}

const fittingLogins = (image: RegistryLocation, known: readonly Login[]): readonly Login[] =>
  known
    .filter(({ location }) => locationMatches(location, image))
    .toSorted((left, right) => right.location.path.length - left.location.path.length);

/** ACI takes one credential a server: the most specific that the first image of that server wants. */
function choose(images: readonly RegistryLocation[], known: readonly Login[]): ReadonlyMap<string, Login> {
  const chosen = new Map<string, Login>();
  for (const image of images) {
    const [best] = fittingLogins(image, known);
    if (best !== undefined && !chosen.has(image.host)) chosen.set(image.host, best);
  }
  return chosen;
}

/** Credentials for the registries that the pod's images come from, and for no other. A secret that is missing is reported, not waited for (kubelet). */
export function registryCredentials(pod: Pod, resolved: ResolvedReferences): RegistryCredentials {
  const found: Login[] = [];
  const missing: string[] = [];
  for (const { name } of pod.spec.imagePullSecrets) {
    const secret = resolved.secrets.get(name);
    const known = secret === undefined ? undefined : logins(secret);
    if (known === undefined) missing.push(name);
    else found.push(...known);
  }
  const images = [...pod.spec.initContainers, ...pod.spec.containers].map(({ image }) => imageLocation(image));
  const credentials = [...choose(images, found)]
    .map(([server, { username, password }]) => ({ server, username, password }))
    .sort((left, right) => (left.server < right.server ? -1 : 1));
  return { credentials, notices: missingNotice(missing) };
}
