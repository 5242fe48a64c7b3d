import type { Pod } from '../../kubernetes/pod.ts';
import { fieldAvailability } from '../field-ref.ts';
import { trustBundleSelectors, volumeParts } from '../mounted-volumes.ts';
import { locatedFiles, locatedSources, maxVolumes } from '../volume-folders.ts';
import { refuse } from '../evaluation.ts';
import { parseResourceField } from '../resource-field.ts';
import { locatedContainers } from './rule.ts';
import type { Refusal } from '../translation.ts';
import type { Rule } from './rule.ts';

export const volumeCountRule: Rule = (pod, { agentGiven }) => {
  // With the agent its own rule has counted them.
  if (agentGiven.kind === 'agent') return [];
  const parts = volumeParts(pod, 'ACI');
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

type LocatedSource = ReturnType<typeof locatedSources>[number];

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

/** What can be no file at all. */
const fileRefusals = (pod: Pod): readonly Refusal[] =>
  pod.spec.volumes.flatMap(({ source }, index) =>
    locatedFiles(source, `spec.volumes[${index}]`).flatMap(({ place, path }) => {
      if (place === undefined) return [refuse(path, 'it names no file inside the volume')];
      const isLong = Buffer.byteLength(place.file) > maxNameBytes;
      return isLong ? [refuse(path, `the name of a file has at most ${maxNameBytes} bytes`)] : [];
    }),
  );

/** Each is a list that the API server is asked for. */
const maxSelectors = 20;

function selectorRefusals(pod: Pod): readonly Refusal[] {
  const count = trustBundleSelectors(pod).length;
  const why = `clusterTrustBundle: the pod selects in ${count} ways, and ${maxSelectors} are asked for`;
  return count > maxSelectors ? [refuse('spec.volumes[*].projected.sources', why)] : [];
}

/** What a volume of ACI can't hold is refused even when no container mounts it. */
export const volumeSourcesRule: Rule = (pod) => {
  const sources = pod.spec.volumes.flatMap(({ source }, index) => locatedSources(source, `spec.volumes[${index}]`));
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
