import type { AgentAccess } from '../agent/agent-facts.ts';
import type { ConfigMapData, SecretData } from '../kubernetes/references.ts';
import type { Container, Pod, ProjectedSource, VolumeSource } from '../kubernetes/pod.ts';
import { selectorKey } from '../kubernetes/trust-bundle.ts';
import type { TrustBundleSelector } from '../kubernetes/trust-bundle.ts';
import { ok } from '../fault.ts';
import type { ImageConfig } from '../image/image-config.ts';
import { imageReferences } from './image-needs.ts';
import { imageLocation } from './image-reference.ts';
import { wantedRights, wantedUser } from './security-context.ts';
import { mountedVolumes } from './mounted-volumes.ts';
import { listReferences } from './references.ts';
import type { NodeFacts, ResolvedClaim, ResolvedReferences } from './translation.ts';

/** An object and a key of it that the pod names; without a key it takes all that there are. */
interface Named {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly key: string | undefined;
}

function ofContainer({ env, envFrom }: Container): readonly Named[] {
  return [
    ...env.flatMap(({ valueFrom }): readonly Named[] => [
      ...(valueFrom?.configMapKeyRef ? [{ ...valueFrom.configMapKeyRef, kind: 'ConfigMap' as const }] : []),
      ...(valueFrom?.secretKeyRef ? [{ ...valueFrom.secretKeyRef, kind: 'Secret' as const }] : []),
    ]),
    ...envFrom.flatMap(({ configMapRef, secretRef }): readonly Named[] => [
      ...(configMapRef ? [{ kind: 'ConfigMap' as const, name: configMapRef.name, key: undefined }] : []),
      ...(secretRef ? [{ kind: 'Secret' as const, name: secretRef.name, key: undefined }] : []),
    ]),
  ];
}

function ofSource(source: VolumeSource | ProjectedSource): readonly Named[] {
  if (source.kind === 'projected') return source.sources.flatMap(ofSource);
  if (source.kind !== 'configMap' && source.kind !== 'secret') return [];
  const kind = source.kind === 'secret' ? 'Secret' : 'ConfigMap';
  const keys = source.items?.map(({ key }) => key) ?? [];
  return (keys.length === 0 ? [undefined] : keys).map((key) => ({ kind, name: source.name, key }));
}

/** A key that stands for all that the object has: taken as a file name and as a variable. */
const everyKey = (name: string): string =>
  `EACH_KEY_OF_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`.slice(0, 63);

const said = ({ kind, name }: Pick<Named, 'kind' | 'name'>, key: string): string => `<${kind} ${name}, key ${key}>`;

function texts(named: readonly Named[], kind: Named['kind'], name: string): Readonly<Record<string, string>> {
  const keys = named.filter((one) => one.kind === kind && one.name === name).map(({ key }) => key ?? everyKey(name));
  return Object.fromEntries(keys.map((key) => [key, said({ kind, name }, key)]));
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A pull secret that fits all images of the pod. */
function pullSecret(pod: Pod, name: string): SecretData {
  const hosts = [...pod.spec.initContainers, ...pod.spec.containers].map(({ image }) => imageLocation(image).host);
  const login = { username: `<user of Secret ${name}>`, password: `<password of Secret ${name}>` };
  const auths = Object.fromEntries(hosts.map((host) => [host, login]));
  return { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': bytes(JSON.stringify({ auths })) } };
}

const account = (name: string): SecretData => ({
  type: 'Opaque',
  data: {
    azurestorageaccountname: bytes(`<account of Secret ${name}>`),
    azurestorageaccountkey: bytes(`<key of Secret ${name}>`),
  },
});

/** A claim that is bound to a share, and is the pod's own where it is that of an ephemeral volume. */
const boundClaim = (pod: Pod, name: string): ResolvedClaim => ({
  claim: {
    uid: '',
    phase: 'Bound',
    isDeleted: false,
    volumeName: name,
    storageClassName: '',
    ownerUids: [pod.metadata.uid],
  },
  volume: {
    name,
    claimUid: '',
    mountOptions: [],
    source: {
      kind: 'azureFile',
      shareName: `<share of claim ${name}>`,
      secret: { namespace: pod.metadata.namespace, name: `<account of claim ${name}>` },
      readOnly: false,
      unsupported: undefined,
    },
  },
  secret: account(`of claim ${name}`),
});

/** An API server that extends tokens of its own audience gives a year. */
const yearSeconds = 31_536_000;

const certificates = (selector: TrustBundleSelector): string => {
  const of = selector.kind === 'name' ? `ClusterTrustBundle-${selector.name}` : `signer-${selector.signerName}`;
  return `-----BEGIN CERTIFICATE-----<certificates-of-${of}>-----END CERTIFICATE-----`;
};

/** What is at hand: ConfigMaps of the pod's namespace, and what images say. */
export interface Known {
  readonly configMaps: ReadonlyMap<string, ConfigMapData>;
  readonly images: (image: string) => ImageConfig | undefined;
}

/** An image that nobody knows has what the pod asks of it. */
function assumedImage(pod: Pod, image: string): ImageConfig {
  const wanted = (['initContainers', 'containers'] as const).flatMap((member) =>
    pod.spec[member].flatMap((container, index) => (container.image === image ? wantedUser(pod, member, index) : [])),
  );
  const uid = wanted.find(({ runAsUser }) => runAsUser !== undefined)?.runAsUser?.value;
  const isNonRoot = wanted.some(({ runAsNonRoot }) => runAsNonRoot !== undefined);
  const { supplementalGroups, isStrict } = wantedRights(pod, 'containers', 0);
  // Only root can be given groups.
  const isRoot = uid !== undefined && (supplementalGroups !== undefined || isStrict);
  return {
    entrypoint: [`<entrypoint of ${image}>`],
    cmd: [],
    env: {},
    workingDir: wanted.find(({ workingDir }) => workingDir !== undefined)?.workingDir?.value ?? '',
    user: isRoot ? '' : uid === undefined ? (isNonRoot ? '65532' : '') : String(uid),
  };
}

/** Images of the pod that are asked for and not known: what is said of the pod holds if they are as it asks. */
export const assumedImages = (pod: Pod, facts: NodeFacts, known: Known): readonly string[] =>
  imageReferences(pod, facts, placeholdersBesideImages(pod, facts, known))
    .map(({ image }) => image)
    .filter((image) => known.images(image) === undefined);

const servicesCredential = { secretUid: '<uid>', token: '<token of the Services>', caPem: '<certificate authority>' };

/**
 * Answers for what a pod refers to where no cluster is asked: what each value would be, in angle brackets. Of the
 * ConfigMaps of `known` it is what they hold; of a Secret it is never its content.
 */
export function placeholderReferences(pod: Pod, facts: NodeFacts, known: Known): ResolvedReferences {
  const others = placeholdersBesideImages(pod, facts, known);
  const images = imageReferences(pod, facts, others).map(
    ({ image }) => [image, ok(known.images(image) ?? assumedImage(pod, image))] as const,
  );
  return { ...others, images: new Map(images) };
}

/** What the agents of a group would get. */
const access: AgentAccess = {
  reportUrl: 'https://app/api/pods/uid/reports',
  filesUrl: 'https://app/api/pods/uid/files',
  kid: '<key id>',
  // Long enough to be one.
  key: Buffer.from('<key of the pod and of the PUT>').toString('base64'),
  nonce: '<nonce>',
};

function placeholdersBesideImages(pod: Pod, facts: NodeFacts, known: Known): Omit<ResolvedReferences, 'images'> {
  const references = listReferences(pod, facts);
  const named = [
    ...[...pod.spec.initContainers, ...pod.spec.containers].flatMap(ofContainer),
    ...mountedVolumes(pod).flatMap(({ volume }) => ofSource(volume.source)),
  ];
  const pulls = new Set(pod.spec.imagePullSecrets.map(({ name }) => name));
  const accounts = new Set(
    mountedVolumes(pod).flatMap(({ volume: { source } }) => (source.kind === 'azureFile' ? source.secretName : [])),
  );
  const secretOf = (name: string): SecretData => {
    const entries = Object.entries(texts(named, 'Secret', name));
    const data = Object.fromEntries(entries.map(([key, text]) => [key, bytes(text)]));
    if (accounts.has(name)) return { ...account(name), data: { ...account(name).data, ...data } };
    return pulls.has(name)
      ? { ...pullSecret(pod, name), ...(entries.length > 0 && { data }) }
      : { type: 'Opaque', data };
  };
  return {
    configMaps: new Map(
      references.configMaps.map((name) => [
        name,
        known.configMaps.get(name) ?? { data: texts(named, 'ConfigMap', name), binaryData: {} },
      ]),
    ),
    secrets: new Map(references.secrets.map((name) => [name, secretOf(name)])),
    claims: new Map(references.claims.map((name) => [name, boundClaim(pod, name)])),
    services: [],
    ...(references.servicesSecret && { servicesCredential }),
    agent: access,
    trustBundles: new Map(references.trustBundles.map((selector) => [selectorKey(selector), [certificates(selector)]])),
    tokens: references.tokens.map(({ audiences, expirationSeconds }) => ({
      value: `<token${audiences.map((audience) => ` for ${audience}`).join('')}>`,
      lifetimeSeconds: audiences.length === 0 ? yearSeconds : expirationSeconds,
    })),
  };
}
