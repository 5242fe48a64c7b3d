import type { DownwardApiItem, KeyToPath, ProjectedSource, Volume, VolumeSource } from '../kubernetes/pod.ts';
import { selectorKey, trustAnchors } from '../kubernetes/trust-bundle.ts';
import type { EnvironmentScope } from './environment.ts';
import { maxBodyBytes } from './expansion.ts';
import { fieldValue } from './field-ref.ts';
import { selectorOf } from './mounted-volumes.ts';
import type { TokenSource, TrustBundleSource } from './mounted-volumes.ts';
import { all, failedMount, ok, refuse, unreachable } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { own } from './own.ts';
import { resourceFieldValue } from './resource-field.ts';
import { pathParts } from './nested-paths.ts';

/** A file of a volume. */
export interface VolumeFile {
  /** Without detours. */
  readonly path: string;
  readonly content: Uint8Array;
  /** As the pod asks for it. */
  readonly mode: number;
}

/** As the source names them. */
type Files = readonly VolumeFile[];

export interface VolumeScope extends EnvironmentScope {
  readonly volume: Volume;
  /** `spec.volumes[0]` */
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
  const usual = defaultMode(scope);
  if (source.items === undefined || source.items.length === 0)
    return ok(Object.entries(data).map(([path, content]) => ({ path, content, mode: usual })));
  const files: VolumeFile[] = [];
  for (const { key, path, mode = usual } of source.items) {
    const content = own(data, key);
    if (content !== undefined) files.push({ path, content, mode });
    else if (!source.optional)
      return setUpFailed(scope, `references non-existent ${what === 'secret' ? 'secret' : 'config'} key: ${key}`);
  }
  return ok(files);
}

/** Of the API. */
export const readableMode = 0o644;

const defaultMode = ({ volume: { source } }: VolumeScope): number =>
  ('defaultMode' in source ? source.defaultMode : undefined) ?? readableMode;

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
      return ok({ path: item.path, content: bytes(value), mode: item.mode ?? defaultMode(scope) });
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
    const content = once(scope.made.anchors, key, () => bytes(trustAnchors(bundles)));
    return ok([{ path: source.path, content, mode: defaultMode(scope) }]);
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
      return token === undefined
        ? setUpFailed(scope, 'failed to fetch token')
        : ok([{ path: source.path, content: bytes(token), mode: defaultMode(scope) }]);
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

export const bodyTooLarge = refuse(
  'spec.volumes',
  'with their content the group is larger than the 4 MB that ARM takes; mount less',
);

/** The files of a volume, each path once: of several the last is there. */
export function volumeFiles(source: FileSource, scope: VolumeScope): Evaluation<readonly VolumeFile[]> {
  const files = sourceFiles(source, scope);
  if (files.kind !== 'ok') return files;
  const last = new Map(files.value.map((file) => [pathParts(file.path).join('/'), file]));
  const size = [...last.values()].reduce((sum, { content }) => sum + content.length, 0);
  if (size > maxBodyBytes) return bodyTooLarge;
  return ok([...last].map(([path, file]) => ({ ...file, path })));
}
