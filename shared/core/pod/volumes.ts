import type { GroupVolume, GroupVolumeMount } from '../group/group.ts';
import type {
  DownwardApiItem,
  KeyToPath,
  Pod,
  ProjectedSource,
  Volume,
  VolumeMount,
  VolumeSource,
} from '../kubernetes/pod.ts';
import { selectorKey, trustAnchors } from '../kubernetes/trust-bundle.ts';
import type { EnvironmentScope } from './environment.ts';
import { maxBodyBytes } from './expansion.ts';
import { fieldValue } from './field-ref.ts';
import { mountedParts, mountedVolumes, selectorOf, tokenSources, volumeParts } from './mounted-volumes.ts';
import type { TokenSource, TrustBundleSource, VolumePart } from './mounted-volumes.ts';
import { all, failedMount, ok, refuse, unreachable } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { own } from './own.ts';
import { claimedShare, inlineShare } from './shares.ts';
import { resourceFieldValue } from './resource-field.ts';
import { pathParts } from './nested-paths.ts';
import { filePlace } from './volume-folders.ts';

/** File name → content. */
type Files = readonly (readonly [path: string, content: Uint8Array])[];

interface VolumeScope extends EnvironmentScope {
  readonly volume: Volume;
  readonly path: string;
  readonly tokens: ReadonlyMap<TokenSource, string>;
  /** What was made of an object once, by what it is: a pod may name one thousands of times. */
  readonly made: {
    readonly contents: Map<string, Contents | undefined>;
    readonly anchors: Map<string, Uint8Array>;
  };
}

type Contents = Readonly<Record<string, Uint8Array>>;

function once<T>(made: Map<string, T>, key: string, make: () => T): T {
  const known = made.get(key);
  if (known !== undefined) return known;
  const value = make();
  made.set(key, value);
  return value;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const setUpFailed = (scope: VolumeScope, why: string): Evaluation<never> =>
  failedMount(`MountVolume.SetUp failed for volume "${scope.volume.name}" : ${why}`);

interface KeyedSource {
  readonly kind: 'configMap' | 'secret';
  readonly name: string;
  readonly optional: boolean;
  readonly items?: readonly KeyToPath[];
}

/** All that a ConfigMap or Secret holds; undefined when there is no such object. */
const contents = (source: KeyedSource, { resolved, made }: VolumeScope): Contents | undefined =>
  once(made.contents, `${source.kind} ${source.name}`, () => readContents(source, resolved));

function readContents({ kind, name }: KeyedSource, resolved: VolumeScope['resolved']): Contents | undefined {
  if (kind === 'secret') return resolved.secrets.get(name)?.data;
  const map = resolved.configMaps.get(name);
  if (map === undefined) return undefined;
  const texts = Object.entries(map.data).map(([key, value]) => [key, bytes(value)] as const);
  return { ...map.binaryData, ...Object.fromEntries(texts) };
}

function keyedFiles(source: KeyedSource, scope: VolumeScope): Evaluation<Files> {
  const found = contents(source, scope);
  const what = source.kind === 'secret' ? 'secret' : 'configmap';
  if (found === undefined && !source.optional) return setUpFailed(scope, `${what} "${source.name}" not found`);
  const data = found ?? {};
  if (source.items === undefined || source.items.length === 0) return ok(Object.entries(data));
  const files: (readonly [string, Uint8Array])[] = [];
  for (const { key, path } of source.items) {
    const content = own(data, key);
    if (content !== undefined) files.push([path, content]);
    else if (!source.optional)
      return setUpFailed(scope, `references non-existent ${what === 'secret' ? 'secret' : 'config'} key: ${key}`);
  }
  return ok(files);
}

function downwardValue(item: DownwardApiItem, scope: VolumeScope): string | undefined {
  if (item.fieldRef)
    return fieldValue(scope.pod, item.fieldRef.fieldPath, { hostIP: scope.facts.hostIP, place: 'volume' });
  const { resourceFieldRef } = item;
  const { containers, initContainers } = scope.pod.spec;
  const container = [...containers, ...initContainers].find(({ name }) => name === resourceFieldRef?.containerName);
  return resourceFieldRef && container && resourceFieldValue(container, resourceFieldRef, scope);
}

const downwardFiles = (items: readonly DownwardApiItem[], scope: VolumeScope): Evaluation<Files> =>
  all(
    items.map((item) => {
      const value = downwardValue(item, scope);
      if (value === undefined)
        return refuse(scope.path, `item ${item.path} names nothing that is known when the group is created`);
      return ok([item.path, bytes(value)] as const);
    }),
  );

const notServed =
  'the API server serves no ClusterTrustBundles (feature gates ClusterTrustBundle and ClusterTrustBundleProjection, API certificates.k8s.io/v1beta1)';

/** In a kubelet's words (pkg/kubelet/clustertrustbundle), but for the API that is not served. */
function trustBundleFile(source: TrustBundleSource, scope: VolumeScope): Evaluation<Files> {
  const selector = selectorOf(source);
  const bundles = selector === undefined ? [] : scope.resolved.trustBundles.get(selectorKey(selector));
  if (bundles === undefined) return setUpFailed(scope, notServed);
  if (bundles.length > 0 || source.optional) {
    const key = selector === undefined ? '' : selectorKey(selector);
    const file = once(scope.made.anchors, key, () => bytes(trustAnchors(bundles)));
    return ok([[source.path, file]]);
  }
  return setUpFailed(
    scope,
    source.name === undefined
      ? 'combination of signerName and labelSelector matched zero ClusterTrustBundles'
      : `while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "${source.name}" not found`,
  );
}

function projectedFiles(source: ProjectedSource, scope: VolumeScope): Evaluation<Files> {
  switch (source.kind) {
    case 'configMap':
    case 'secret':
      return keyedFiles(source, scope);
    case 'downwardAPI':
      return downwardFiles(source.items, scope);
    case 'serviceAccountToken': {
      const token = scope.tokens.get(source);
      return token === undefined ? setUpFailed(scope, 'failed to fetch token') : ok([[source.path, bytes(token)]]);
    }
    case 'clusterTrustBundle':
      return trustBundleFile(source, scope);
    case 'other':
      return refuse(`${scope.path}.projected.sources`, `${source.field} is not part of this version`);
    default:
      return unreachable(source);
  }
}

/** A whole object that comes again has the last word on all of its keys. */
function lastOfEach(sources: readonly ProjectedSource[]): readonly ProjectedSource[] {
  const last = new Map<string, number>();
  const keyOf = (source: ProjectedSource): string | undefined =>
    (source.kind === 'configMap' || source.kind === 'secret') && (source.items ?? []).length === 0
      ? `${source.kind} ${source.name} ${source.optional}`
      : undefined;
  for (const [index, source] of sources.entries()) last.set(keyOf(source) ?? String(index), index);
  return sources.filter((source, index) => last.get(keyOf(source) ?? String(index)) === index);
}

type FileSource = Exclude<VolumeSource, { kind: 'emptyDir' | 'azureFile' | 'claim' }>;

function sourceFiles(source: FileSource, scope: VolumeScope): Evaluation<Files> {
  switch (source.kind) {
    case 'configMap':
    case 'secret':
      return keyedFiles(source, scope);
    case 'downwardAPI':
      return downwardFiles(source.items, scope);
    case 'projected': {
      const parts = all(lastOfEach(source.sources).map((part) => projectedFiles(part, scope)));
      return parts.kind === 'ok' ? ok(parts.value.flat()) : parts;
    }
    case 'other':
      return refuse(`${scope.path}.${source.field}`, 'this version does not know the kind of volume');
    default:
      return unreachable(source);
  }
}

const base64 = (content: Uint8Array): string => Buffer.from(content).toString('base64');

export const bodyTooLarge = refuse(
  'spec.volumes',
  'with their content the group is larger than the 4 MB that ARM takes; mount less',
);

/** A part of a volume, under its name in the group. */
interface NamedPart extends VolumePart {
  readonly name: string;
}

/** All parts of one volume. */
function partsOfVolume(parts: readonly NamedPart[], scope: VolumeScope): Evaluation<readonly GroupVolume[]> {
  const { source } = scope.volume;
  switch (source.kind) {
    case 'emptyDir':
      return ok(parts.map(({ name }) => ({ name, emptyDir: {} })));
    case 'azureFile':
      return all(parts.map(({ name }) => inlineShare({ ...scope, name }, source)));
    case 'claim':
      return all(parts.map(({ name }) => claimedShare({ ...scope, name }, source)));
    default: {
      const files = sourceFiles(source, scope);
      if (files.kind !== 'ok') return files;
      // Of those under one path the last is there.
      const last = new Map(files.value.map((file) => [pathParts(file[0]).join('/'), file]));
      const size = [...last.values()].reduce((sum, [, content]) => sum + content.length, 0);
      if (size > maxBodyBytes) return bodyTooLarge;
      return ok(parts.map((part) => fileVolume(part, [...last.values()])));
    }
  }
}

function fileVolume({ name, folder = '' }: NamedPart, files: Files): GroupVolume {
  const own = files.flatMap(([path, content]) => {
    const place = filePlace(path);
    return place?.folder === folder ? [[place.file, base64(content)] as const] : [];
  });
  // ACI takes no secret volume without a file; an emptyDir, mounted read-only, looks the same from inside.
  if (own.length === 0) return { name, emptyDir: {} };
  return { name, secret: Object.fromEntries(own.toSorted(([left], [right]) => (left < right ? -1 : 1))) };
}

/** What a volume of the group is up for: one of the pod, or a folder of it. */
const volumeKey = (name: string, folder: string | undefined): string =>
  folder === undefined ? name : `${name}/${folder}`;

/** ACI takes no double hyphen in a volume's name (docs/aci.md, Limits of a group); the name is seen by nobody else. */
export function groupVolumeNames(volumes: readonly VolumePart[]): ReadonlyMap<string, string> {
  const taken = new Set(volumes.map(({ volume }) => volume.name));
  const names = new Map<string, string>();
  for (const { volume, folder } of volumes) {
    const wanted = folder === undefined ? volume.name : `${volume.name.slice(0, 58)}-${names.size}`;
    const base = wanted.replaceAll(/-{2,}/g, '-');
    let name = base;
    for (let count = 1; name !== volume.name && taken.has(name); count += 1)
      name = `${base.slice(0, 55).replace(/-$/, '')}-x${count}`;
    taken.add(name);
    names.set(volumeKey(volume.name, folder), name);
  }
  return names;
}

/** The mounts of the group's volumes that a mount of the pod comes to; made once for all its containers. */
export function groupMounts(pod: Pod): (mount: VolumeMount) => readonly Pick<GroupVolumeMount, 'name' | 'mountPath'>[] {
  const names = groupVolumeNames(volumeParts(pod));
  const partsOf = mountedParts(pod);
  return (mount) =>
    partsOf(mount).map(({ mountPath, folder }) => ({
      name: names.get(volumeKey(mount.name, folder)) ?? mount.name,
      mountPath,
    }));
}

/** Content of a ConfigMap, Secret or projection can't be written to (Kubernetes mounts it read-only). */
export function isReadOnlyVolume(pod: Pod, name: string): boolean {
  const kind = pod.spec.volumes.find((volume) => volume.name === name)?.source.kind;
  return kind === 'configMap' || kind === 'secret' || kind === 'projected' || kind === 'downwardAPI';
}

/** The group's volumes, in the order of the spec; waits for objects and keys that are missing and required. */
export function groupVolumes(scope: EnvironmentScope): Evaluation<readonly GroupVolume[]> {
  const parts = volumeParts(scope.pod);
  const names = groupVolumeNames(parts);
  const tokens = new Map<TokenSource, string>();
  const made = { contents: new Map<string, Contents | undefined>(), anchors: new Map<string, Uint8Array>() };
  for (const [index, source] of tokenSources(scope.pod).entries()) {
    const token = scope.resolved.tokens[index];
    if (token !== undefined) tokens.set(source, token.value);
  }
  const ofVolume = new Map<string, NamedPart[]>();
  for (const part of parts) {
    const { name: own } = part.volume;
    const named = { ...part, name: names.get(volumeKey(own, part.folder)) ?? own };
    const known = ofVolume.get(part.path);
    if (known === undefined) ofVolume.set(part.path, [named]);
    else known.push(named);
  }
  const volumes = all(
    mountedVolumes(scope.pod).map(({ volume, path }) =>
      partsOfVolume(ofVolume.get(path) ?? [], { ...scope, volume, path, tokens, made }),
    ),
  );
  return volumes.kind === 'ok' ? ok(volumes.value.flat()) : volumes;
}
