import { isJsonObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import type { GroupRegistryCredential } from '../group/group.ts';
import { isAcr } from '../image/registry-endpoint.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { SecretData } from '../kubernetes/references.ts';
import { credentialLocation, imageLocation, locationMatches } from './image-reference.ts';
import type { RegistryLocation } from './image-reference.ts';
import { own } from './own.ts';
import type { Notice, ResolvedReferences } from './translation.ts';

export interface RegistryCredentials {
  /** One a server at most, sorted by server. */
  readonly credentials: readonly GroupRegistryCredential[];
  /** Identities that credentials name; the group needs them. */
  readonly identities: readonly string[];
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

/** Who pulls from registries of Azure where no pull secret is for them. */
export interface PullIdentities {
  /** By registry, as the settings name them. */
  readonly installed: Readonly<Record<string, string>>;
  /** Those of the pod itself; the first pulls where the installation has none for a registry, as with virtual nodes v2. */
  readonly own: readonly string[];
  /** The agent's, in its group; only the installation's identities pull it. */
  readonly agentImage?: string;
}

/**
 * Credentials for the registries that the pod's images come from, and for no other. A secret that is missing is reported,
 * not waited for (kubelet). A pull secret comes before an identity, as with a kubelet and its credential provider.
 */
export function registryCredentials(
  pod: Pod,
  resolved: Pick<ResolvedReferences, 'secrets'>,
  { installed, own: [ownIdentity], agentImage }: PullIdentities,
): RegistryCredentials {
  const found: Login[] = [];
  const missing: string[] = [];
  for (const { name } of pod.spec.imagePullSecrets) {
    const secret = resolved.secrets.get(name);
    const known = secret === undefined ? undefined : logins(secret);
    if (known === undefined) missing.push(name);
    else found.push(...known);
  }
  const images = [...pod.spec.initContainers, ...pod.spec.containers].map(({ image }) => imageLocation(image));
  const chosen = choose(images, found);
  const hosts = new Set(images.map(({ host }) => host));
  const agentHost = agentImage === undefined ? [] : [imageLocation(agentImage).host];
  const byIdentity = [...new Set([...hosts, ...agentHost])]
    .filter((host) => !chosen.has(host) && isAcr(host))
    .flatMap((server) => {
      const identity = own(installed, server) ?? (hosts.has(server) ? ownIdentity : undefined);
      return identity === undefined ? [] : [{ server, identity }];
    });
  const byPassword = [...chosen].map(([server, { username, password }]) => ({ server, username, password }));
  return {
    credentials: [...byPassword, ...byIdentity].sort((left, right) => (left.server < right.server ? -1 : 1)),
    identities: byIdentity.map(({ identity }) => identity),
    notices: missingNotice(missing),
  };
}
