import type { Pod, ProjectedSource, VolumeSource } from '../../kubernetes/pod.ts';
import { fieldAvailability } from '../field-ref.ts';
import { isWholeVolume, mountedFolders, trustBundleSelectors, volumeParts } from '../mounted-volumes.ts';
import { fileFolders, filePlace, maxVolumes, separateFolders } from '../volume-folders.ts';
import { refuse } from '../evaluation.ts';
import { parseResourceField } from '../resource-field.ts';
import { locatedContainers } from './rule.ts';
import type { Refusal } from '../translation.ts';
import type { Rule } from './rule.ts';

export const volumeCountRule: Rule = (pod) => {
  const parts = volumeParts(pod);
  const folders = parts.some(({ folder }) => folder !== undefined) ? ', each folder of a volume counted' : '';
  return parts.length > maxVolumes
    ? [refuse('spec.volumes', `${parts.length} volumes are mounted${folders}; a group takes ${maxVolumes}`)]
    : [];
};

const noColon = 'ACI takes no : in the path of a mount';
/** Of Linux (PATH_MAX, NAME_MAX). */
const maxPathBytes = 4096;
const maxNameBytes = 255;

export const mountsRule: Rule = (pod) => {
  const names = new Set(pod.spec.volumes.map(({ name }) => name));
  return locatedContainers(pod).flatMap(({ container, path }) =>
    container.volumeMounts.flatMap(({ name, mountPath }, index) => [
      ...(names.has(name) ? [] : [refuse(`${path}.volumeMounts[${index}].name`, `the pod has no volume ${name}`)]),
      ...(mountPath.includes(':') ? [refuse(`${path}.volumeMounts[${index}].mountPath`, noColon)] : []),
      ...(Buffer.byteLength(mountPath) >= maxPathBytes
        ? [refuse(`${path}.volumeMounts[${index}].mountPath`, `a path has less than ${maxPathBytes} bytes`)]
        : []),
    ]),
  );
};

/** A folder of a volume is a volume of its own only where nobody sees the whole. */
export const subPathRule: Rule = (pod) => {
  const folderOf = mountedFolders(pod);
  return locatedContainers(pod).flatMap(({ container, path }) =>
    container.volumeMounts.flatMap((mount, index) => {
      if (isWholeVolume(mount) || folderOf(mount) !== undefined) return [];
      return [refuse(`${path}.volumeMounts[${index}].subPath`, 'ACI mounts whole volumes only')];
    }),
  );
};

interface LocatedSource {
  readonly source: VolumeSource | ProjectedSource;
  readonly path: string;
}

function located(source: VolumeSource, path: string): readonly LocatedSource[] {
  if (source.kind !== 'projected') return [{ source, path: source.kind === 'other' ? path : `${path}.${source.kind}` }];
  return source.sources.map((part, index) => {
    const place = `${path}.projected.sources[${index}]`;
    return { source: part, path: part.kind === 'other' ? place : `${place}.${part.kind}` };
  });
}

interface LocatedFile {
  readonly file: string;
  readonly path: string;
}

function files({ source, path }: LocatedSource): readonly LocatedFile[] {
  if (source.kind === 'serviceAccountToken' || source.kind === 'clusterTrustBundle')
    return [{ file: source.path, path: `${path}.path` }];
  if (source.kind === 'configMap' || source.kind === 'secret' || source.kind === 'downwardAPI')
    return (source.items ?? []).map((item, index) => ({ file: item.path, path: `${path}.items[${index}].path` }));
  return [];
}

function downward({ source, path }: LocatedSource) {
  if (source.kind !== 'downwardAPI') return [];
  return source.items.flatMap(({ fieldRef, resourceFieldRef }, index) => {
    const known =
      fieldRef === undefined
        ? resourceFieldRef !== undefined && parseResourceField(resourceFieldRef.resource) !== undefined
        : fieldAvailability(fieldRef.fieldPath, 'volume') === 'known';
    return known ? [] : [refuse(`${path}.items[${index}]`, 'it names nothing that is known when the group is created')];
  });
}

/** A volume of ACI is one folder of files: a file that is in another than the root needs a volume for this folder. */
function fileRefusals(pod: Pod): readonly Refusal[] {
  const separate = separateFolders(pod);
  return pod.spec.volumes.flatMap(({ name, source }, index) => {
    const inFolders = located(source, `spec.volumes[${index}]`)
      .flatMap(files)
      .map(({ file, path }) => ({ path, place: filePlace(file) }))
      .filter(({ place }) => place?.folder !== '');
    const [first] = inFolders;
    const count = fileFolders(source)?.length ?? 0;
    if (first !== undefined && count > maxVolumes)
      return [refuse(first.path, `the files are in ${count} folders, each a volume; a group takes ${maxVolumes}`)];
    return inFolders.flatMap(({ place, path }) => {
      if (place === undefined) return [refuse(path, 'it names no file inside the volume')];
      if (!separate.has(name)) return [refuse(path, notNested)];
      if (Buffer.byteLength(place.file) > maxNameBytes)
        return [refuse(path, `the name of a file has at most ${maxNameBytes} bytes`)];
      return place.folder.includes(':') ? [refuse(path, noColon)] : [];
    });
  });
}

/** Each is a list that the API server is asked for. */
const maxSelectors = 20;

function selectorRefusals(pod: Pod): readonly Refusal[] {
  const count = trustBundleSelectors(pod).length;
  const why = `clusterTrustBundle: the pod selects in ${count} ways, and ${maxSelectors} are asked for`;
  return count > maxSelectors ? [refuse('spec.volumes[*].projected.sources', why)] : [];
}

const notNested = 'ACI can not be relied on to mount a folder inside of another volume';

/** What a volume of ACI can't hold is refused even when no container mounts it. */
export const volumeSourcesRule: Rule = (pod) => {
  const sources = pod.spec.volumes.flatMap(({ source }, index) => located(source, `spec.volumes[${index}]`));
  return [
    ...sources.flatMap(({ source, path }) =>
      source.kind === 'other'
        ? [refuse(source.field === '' ? path : `${path}.${source.field}`, 'this version can not mount it')]
        : [],
    ),
    ...fileRefusals(pod),
    ...selectorRefusals(pod),
    ...sources.flatMap(downward),
  ];
};
