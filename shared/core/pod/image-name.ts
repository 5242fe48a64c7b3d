const dockerHub = 'docker.io';
const longestName = 255;

/** The grammar of github.com/distribution/reference, which a kubelet judges names by. */
const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const domain = String.raw`(?:${label}(?:\.${label})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`;
const part = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const algorithm = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*';
const reference = new RegExp(
  String.raw`^${domain}/(?<path>${part}(?:/${part})*)(?::\w[\w.-]{0,127})?(?:@(?<algorithm>${algorithm}):(?<hex>[0-9a-fA-F]{32,}))?$`,
);
const identifier = /^[a-f0-9]{64}$/;
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** Why no registry can have an image of this name, in the words of a kubelet; undefined: one may. */
export function imageNameFault(image: string): string | undefined {
  const why = referenceFault(image);
  return why === undefined
    ? undefined
    : `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${why}`;
}

function referenceFault(image: string): string | undefined {
  if (identifier.test(image)) return `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`;
  const { host, rest } = splitDomain(image);
  const [repository = ''] = rest.split(':', 1);
  if (repository.toLowerCase() !== repository)
    return `invalid reference format: repository name (${repository}) must be lowercase`;
  const match = reference.exec(`${host}/${rest}`);
  if (match === null) return 'invalid reference format';
  const { path = '', algorithm: named, hex = '' } = match.groups ?? {};
  if (path.length > longestName) return `repository name must not be more than ${longestName} characters`;
  return named === undefined ? undefined : digestFault(named, hex);
}

function digestFault(named: string, hex: string): string | undefined {
  const length = digestLengths[named];
  if (length === undefined) return 'unsupported digest algorithm';
  if (hex.length !== length) return 'invalid checksum digest length';
  return /^[a-f0-9]+$/.test(hex) ? undefined : 'invalid checksum digest format';
}

/** Host and the rest (repository, tag, digest): `nginx` is `docker.io`'s `library/nginx`; the first part is a host where it looks like one. */
export function splitDomain(image: string): { readonly host: string; readonly rest: string } {
  const slash = image.indexOf('/');
  const first = image.slice(0, Math.max(0, slash));
  const isHost = slash >= 0 && (first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first);
  const host = isHost && first !== 'index.docker.io' ? first : dockerHub;
  const rest = isHost ? image.slice(slash + 1) : image;
  return { host, rest: host === dockerHub && !rest.includes('/') ? `library/${rest}` : rest };
}
