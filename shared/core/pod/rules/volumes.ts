import type { ProjectedSource, VolumeSource } from '../../kubernetes/pod.ts';
import { fieldAvailability } from '../field-ref.ts';
import { isWholeVolume, mountedFolders, mountedVolumes } from '../mounted-volumes.ts';
import { refuse } from '../evaluation.ts';
import { parseResourceField } from '../resource-field.ts';
import { locatedContainers } from './rule.ts';
import type { Rule } from './rule.ts';

const maxVolumes = 20;

export const volumeCountRule: Rule = (pod) => {
  const mounted = mountedVolumes(pod);
  const folders = mounted.some(({ subPath }) => subPath !== undefined)
    ? ', each folder (subPath) of an emptyDir counted'
    : '';
  return mounted.length > maxVolumes
    ? [refuse('spec.volumes', `${mounted.length} volumes are mounted${folders}; a group takes ${maxVolumes}`)]
    : [];
};

export const mountsRule: Rule = (pod) => {
  const names = new Set(pod.spec.volumes.map(({ name }) => name));
  return locatedContainers(pod).flatMap(({ container, path }) =>
    container.volumeMounts.flatMap(({ name, mountPath }, index) => [
      ...(names.has(name) ? [] : [refuse(`${path}.volumeMounts[${index}].name`, `the pod has no volume ${name}`)]),
      ...(mountPath.includes(':')
        ? [refuse(`${path}.volumeMounts[${index}].mountPath`, 'ACI takes no : in the path of a mount')]
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
  if (source.kind === 'serviceAccountToken') return [{ file: source.path, path: `${path}.path` }];
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

const isFileName = (name: string): boolean => name !== '' && name !== '.' && name !== '..' && !name.includes('/');

/** A volume of ACI is one folder of files; what it can't hold is refused even when no container mounts it. */
export const volumeSourcesRule: Rule = (pod) => {
  const sources = pod.spec.volumes.flatMap(({ source }, index) => located(source, `spec.volumes[${index}]`));
  return [
    ...sources.flatMap(({ source, path }) =>
      source.kind === 'other'
        ? [refuse(source.field === '' ? path : `${path}.${source.field}`, 'this version can not mount it')]
        : [],
    ),
    ...sources
      .flatMap(files)
      .filter(({ file }) => !isFileName(file))
      .map(({ path }) => refuse(path, 'a volume of ACI has no folders; use a plain file name')),
    ...sources.flatMap(downward),
  ];
};
