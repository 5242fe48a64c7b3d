import type { Pod, ProjectedSource, Volume, VolumeMount } from '../kubernetes/pod.ts';

export interface MountedVolume {
  readonly volume: Volume;
  /** `spec.volumes[0]`. */
  readonly path: string;
  /** The folder of an emptyDir that this one stands for; absent: the whole volume. */
  readonly subPath?: string;
}

const mountsOf = (pod: Pod, name: string): readonly VolumeMount[] =>
  [...pod.spec.initContainers, ...pod.spec.containers].flatMap(({ volumeMounts }) =>
    volumeMounts.filter((mount) => mount.name === name),
  );

const partsOf = (subPath: string): readonly string[] =>
  subPath.split('/').filter((part) => part !== '' && part !== '.');

/** `./` is the volume itself. */
export const isWholeVolume = ({ subPath = '' }: VolumeMount): boolean => partsOf(subPath).length === 0;

/** A folder below the volume without detours; undefined: none that is known beforehand. */
function folderOf({ subPath, subPathExpr }: VolumeMount): string | undefined {
  if (subPath === undefined || subPathExpr !== undefined) return undefined;
  const parts = partsOf(subPath);
  return parts.length === 0 || parts.includes('..') ? undefined : parts.join('/');
}

/**
 * ACI mounts whole volumes only. An emptyDir of which each mount names a folder, none of them inside another, is as good as
 * an emptyDir for each folder; undefined: it is not so.
 */
export function foldersOf(pod: Pod, { name, source }: Volume): readonly string[] | undefined {
  const folders = mountsOf(pod, name).map(folderOf);
  const known = [...new Set(folders.filter((folder) => folder !== undefined))];
  const isSplit = source.kind === 'emptyDir' && known.length > 0 && !folders.includes(undefined);
  return isSplit && !hasNested(known) ? known : undefined;
}

/** Whether one of the folders is inside another; in linear time, as a pod may mount thousands. */
function hasNested(folders: readonly string[]): boolean {
  const all = new Set(folders);
  return folders.some((folder) => {
    for (let end = folder.indexOf('/'); end > 0; end = folder.indexOf('/', end + 1))
      if (all.has(folder.slice(0, end))) return true;
    return false;
  });
}

/** For each mount the folder that it stands for, where its volume is split. */
export function mountedFolders(pod: Pod): (mount: VolumeMount) => string | undefined {
  const split = new Set(
    pod.spec.volumes.filter((volume) => foldersOf(pod, volume) !== undefined).map(({ name }) => name),
  );
  return (mount) => (split.has(mount.name) ? folderOf(mount) : undefined);
}

/** The volumes that some container mounts, in the order of the spec, an emptyDir that is split once for each folder; the others are left out. */
export function mountedVolumes(pod: Pod): readonly MountedVolume[] {
  return pod.spec.volumes
    .map((volume, index) => ({ volume, path: `spec.volumes[${index}]` }))
    .filter(({ volume }) => mountsOf(pod, volume.name).length > 0)
    .flatMap((mounted): readonly MountedVolume[] => {
      const folders = foldersOf(pod, mounted.volume);
      return folders === undefined ? [mounted] : folders.map((subPath) => ({ ...mounted, subPath }));
    });
}

export type TokenSource = Extract<ProjectedSource, { readonly kind: 'serviceAccountToken' }>;

/** In the order in which `References.tokens` and `ResolvedReferences.tokens` have them. */
export const tokenSources = (pod: Pod): readonly TokenSource[] =>
  mountedVolumes(pod).flatMap(({ volume: { source } }) =>
    source.kind === 'projected' ? source.sources.filter((projected) => projected.kind === 'serviceAccountToken') : [],
  );
