/**
 * A secret volume of ACI holds files and no folders. Whether ACI mounts one volume inside another is not known, so the
 * files of a volume may be in folders only where each folder can be a volume that is mounted beside all others.
 */
import type { Pod, ProjectedSource, VolumeSource } from '../kubernetes/pod.ts';
import { absolutePath, nestedPaths, pathParts } from './nested-paths.ts';

/** As many as a group takes. */
export const maxVolumes = 20;

/** Where in its volume a file is, without detours; the folder of the root is empty. */
export interface FilePlace {
  readonly folder: string;
  readonly file: string;
}

/** `./conf.d/a` → `conf.d`, `a`; undefined: no file inside the volume. */
export function filePlace(path: string): FilePlace | undefined {
  const parts = pathParts(path);
  const file = parts.at(-1);
  if (file === undefined || path.startsWith('/') || parts.includes('..')) return undefined;
  return { folder: parts.slice(0, -1).join('/'), file };
}

/** The paths that a source names; undefined stands for all keys of an object, which have no folders. */
function namedPaths(source: VolumeSource | ProjectedSource): readonly (string | undefined)[] {
  switch (source.kind) {
    case 'projected':
      return source.sources.flatMap(namedPaths);
    case 'configMap':
    case 'secret':
      return source.items === undefined || source.items.length === 0
        ? [undefined]
        : source.items.map(({ path }) => path);
    case 'downwardAPI':
      return source.items.map(({ path }) => path);
    case 'serviceAccountToken':
    case 'clusterTrustBundle':
      return [source.path];
    default:
      return [undefined];
  }
}

/** The folders of a volume's files, each once; undefined: some of the files are in its root, or there are none. */
export function fileFolders(source: VolumeSource): readonly string[] | undefined {
  const folders = namedPaths(source).map((path) => (path === undefined ? '' : (filePlace(path)?.folder ?? '')));
  return folders.length === 0 || folders.includes('') ? undefined : [...new Set(folders)];
}

interface LocatedSource {
  readonly source: VolumeSource | ProjectedSource;
  readonly path: string;
}

/** A projected volume is its sources. */
export function locatedSources(source: VolumeSource, path: string): readonly LocatedSource[] {
  if (source.kind !== 'projected') return [{ source, path: source.kind === 'other' ? path : `${path}.${source.kind}` }];
  return source.sources.map((part, index) => {
    const place = `${path}.projected.sources[${index}]`;
    return { source: part, path: part.kind === 'other' ? place : `${place}.${part.kind}` };
  });
}

interface LocatedFile {
  /** Undefined: no file inside the volume. */
  readonly place: FilePlace | undefined;
  /** Of the field that names it. */
  readonly path: string;
}

function filesOf({ source, path }: LocatedSource): readonly LocatedFile[] {
  if (source.kind === 'serviceAccountToken' || source.kind === 'clusterTrustBundle')
    return [{ place: filePlace(source.path), path: `${path}.path` }];
  if (source.kind !== 'configMap' && source.kind !== 'secret' && source.kind !== 'downwardAPI') return [];
  return (source.items ?? []).map((item, index) => ({
    place: filePlace(item.path),
    path: `${path}.items[${index}].path`,
  }));
}

/** The files that a volume names, and where it does. */
export const locatedFiles = (source: VolumeSource, path: string): readonly LocatedFile[] =>
  locatedSources(source, path).flatMap(filesOf);

/** Volumes all of whose files are in folders, none of these inside another. */
function apartInside({ spec }: Pod): ReadonlyMap<string, readonly string[]> {
  return new Map(
    spec.volumes.flatMap(({ name, source }) => {
      const folders = fileFolders(source);
      const isApart = folders !== undefined && folders.length <= maxVolumes && nestedPaths(folders).size === 0;
      return isApart ? [[name, folders] as const] : [];
    }),
  );
}

/** By the names of the volumes whose folders are volumes of their own: no container has a mount inside or around one of them. */
export function separateFolders(pod: Pod): ReadonlyMap<string, readonly string[]> {
  const apart = apartInside(pod);
  if (apart.size === 0) return apart;
  const nested = [...pod.spec.initContainers, ...pod.spec.containers].flatMap(({ volumeMounts }) => {
    const places = volumeMounts.flatMap(({ name, mountPath }) =>
      (apart.get(name) ?? ['']).map((folder) => ({ name, place: absolutePath(`${mountPath}/${folder}`) })),
    );
    const inside = nestedPaths(places.map(({ place }) => place));
    return places.flatMap(({ name, place }) => (inside.has(place) ? name : []));
  });
  const isNested = new Set(nested);
  return new Map([...apart].filter(([name]) => !isNested.has(name)));
}
