import type { AgentDecision } from '../agent/decision.ts';
import type { Pod, ProjectedSource, Volume, VolumeMount } from '../kubernetes/pod.ts';
import { labelQuery, selectorKey } from '../kubernetes/trust-bundle.ts';
import type { TrustBundleSelector } from '../kubernetes/trust-bundle.ts';
import { absolutePath, nestedPaths, pathParts } from './nested-paths.ts';
import { separateFolders } from './volume-folders.ts';

export interface MountedVolume {
  readonly volume: Volume;
  /** `spec.volumes[0]`. */
  readonly path: string;
}

/** What is a volume of the group. */
export interface VolumePart extends MountedVolume {
  /** The folder of the pod's volume that this one stands for; absent: the whole volume. */
  readonly folder?: string;
}

/** By the names of the volumes: a pod may have thousands of both. */
function mountsByVolume({ spec }: Pod): ReadonlyMap<string, readonly VolumeMount[]> {
  const mounts = new Map<string, VolumeMount[]>();
  for (const mount of [...spec.initContainers, ...spec.containers].flatMap(({ volumeMounts }) => volumeMounts)) {
    const known = mounts.get(mount.name);
    if (known === undefined) mounts.set(mount.name, [mount]);
    else known.push(mount);
  }
  return mounts;
}

/** `./` is the volume itself. */
export const isWholeVolume = ({ subPath = '' }: VolumeMount): boolean => pathParts(subPath).length === 0;

/** A folder below the volume without detours; undefined: none that is known beforehand. */
function folderOf({ subPath, subPathExpr }: VolumeMount): string | undefined {
  if (subPath === undefined || subPathExpr !== undefined) return undefined;
  const parts = pathParts(subPath);
  return parts.length === 0 || parts.includes('..') ? undefined : parts.join('/');
}

/**
 * ACI mounts whole volumes only. An emptyDir of which each mount names a folder, none of them inside another, is as good as
 * an emptyDir for each folder; undefined: it is not so.
 */
function foldersOf({ source }: Volume, mounts: readonly VolumeMount[] = []): readonly string[] | undefined {
  const folders = mounts.map(folderOf);
  const known = [...new Set(folders.filter((folder) => folder !== undefined))];
  const isSplit = source.kind === 'emptyDir' && known.length > 0 && !folders.includes(undefined);
  return isSplit && nestedPaths(known).size === 0 ? known : undefined;
}

/** For each mount the folder that it stands for, where its volume is split by its mounts. */
export function mountedFolders(pod: Pod): (mount: VolumeMount) => string | undefined {
  const mounts = mountsByVolume(pod);
  const split = new Set(
    pod.spec.volumes
      .filter((volume) => foldersOf(volume, mounts.get(volume.name)) !== undefined)
      .map(({ name }) => name),
  );
  return (mount) => (split.has(mount.name) ? folderOf(mount) : undefined);
}

/** The volumes that some container mounts, in the order of the spec; the others are left out. */
export function mountedVolumes(pod: Pod): readonly MountedVolume[] {
  const mounts = mountsByVolume(pod);
  return pod.spec.volumes
    .map((volume, index) => ({ volume, path: `spec.volumes[${index}]` }))
    .filter(({ volume }) => mounts.has(volume.name));
}

/** Who makes the folders in which files of a volume are: ACI, as far as it can, or the agent, a tree in one volume. */
export type FolderMaker = 'ACI' | 'agent';

export const folderMaker = ({ kind }: Pick<AgentDecision, 'kind'>): FolderMaker => (kind === 'agent' ? 'agent' : 'ACI');

/** By the names of the volumes that are one for each folder of their files. */
const fileFolders = (pod: Pod, maker: FolderMaker): ReadonlyMap<string, readonly string[]> =>
  maker === 'ACI' ? separateFolders(pod) : new Map();

/** The same as volumes of the group: one that is split, by its mounts or by its files, once for each folder. */
export function volumeParts(pod: Pod, maker: FolderMaker): readonly VolumePart[] {
  const separate = fileFolders(pod, maker);
  const mounts = mountsByVolume(pod);
  return mountedVolumes(pod).flatMap((mounted): readonly VolumePart[] => {
    const { name } = mounted.volume;
    const folders = foldersOf(mounted.volume, mounts.get(name)) ?? separate.get(name);
    return folders === undefined ? [mounted] : folders.map((folder) => ({ ...mounted, folder }));
  });
}

/** Where a mount of the pod is to be in the container, and of which part of its volume. */
export interface MountedPart {
  readonly mountPath: string;
  readonly folder?: string;
}

/** A mount of a volume whose files are in folders is one for each of them. */
export function mountedParts(pod: Pod, maker: FolderMaker): (mount: VolumeMount) => readonly MountedPart[] {
  const separate = fileFolders(pod, maker);
  const folderOfMount = mountedFolders(pod);
  return (mount) => {
    const folders = separate.get(mount.name);
    if (folders !== undefined)
      return folders.map((folder) => ({ mountPath: absolutePath(`${mount.mountPath}/${folder}`), folder }));
    const folder = folderOfMount(mount);
    return [{ mountPath: mount.mountPath, ...(folder !== undefined && { folder }) }];
  };
}

const projectedSources = (pod: Pod): readonly ProjectedSource[] =>
  mountedVolumes(pod).flatMap(({ volume: { source } }) => (source.kind === 'projected' ? source.sources : []));

export type TokenSource = Extract<ProjectedSource, { readonly kind: 'serviceAccountToken' }>;

/** In the order in which `References.tokens` and `ResolvedReferences.tokens` have them. */
export const tokenSources = (pod: Pod): readonly TokenSource[] =>
  projectedSources(pod).filter((source) => source.kind === 'serviceAccountToken');

export type TrustBundleSource = Extract<ProjectedSource, { readonly kind: 'clusterTrustBundle' }>;

/** What a source selects; undefined: nothing. */
export function selectorOf({ name, signerName, labelSelector }: TrustBundleSource): TrustBundleSelector | undefined {
  if (name !== undefined) return { kind: 'name', name };
  const labels = labelQuery(labelSelector);
  return signerName === undefined || labels === undefined ? undefined : { kind: 'signer', signerName, labels };
}

/** Each once, in the order of the mounted volumes. */
export const trustBundleSelectors = (pod: Pod): readonly TrustBundleSelector[] => {
  const selectors = projectedSources(pod).flatMap((source) =>
    source.kind === 'clusterTrustBundle' ? (selectorOf(source) ?? []) : [],
  );
  return [...new Map(selectors.map((selector) => [selectorKey(selector), selector])).values()];
};
