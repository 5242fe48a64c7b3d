import { createHash } from 'node:crypto';
import type { Pod, Volume } from '../../kubernetes/pod.ts';
import { fieldValue } from '../../pod/field-ref.ts';
import { locatedSources } from '../../pod/volume-folders.ts';
import type { TokenSource } from '../../pod/mounted-volumes.ts';

/** An object that a volume is made of; of the pod's namespace. */
export interface VolumeObject {
  readonly kind: 'configMap' | 'secret';
  readonly name: string;
}

/** What the files of a volume follow. */
export interface VolumeSources {
  /** Each once. */
  readonly objects: readonly VolumeObject[];
  readonly tokens: readonly TokenSource[];
  /** Fields of the pod that change while it runs. */
  readonly podFields: readonly string[];
}

const isChanging = (fieldPath: string): boolean => /^metadata\.(labels|annotations)\b/.test(fieldPath);

export function volumeSources({ source }: Volume): VolumeSources {
  const parts = locatedSources(source, '').map((located) => located.source);
  const objects = parts.flatMap((part): readonly VolumeObject[] =>
    part.kind === 'configMap' || part.kind === 'secret' ? [{ kind: part.kind, name: part.name }] : [],
  );
  const fields = parts.flatMap((part) =>
    part.kind === 'downwardAPI' ? part.items.flatMap(({ fieldRef }) => fieldRef?.fieldPath ?? []) : [],
  );
  return {
    objects: [...new Map(objects.map((one) => [objectKey(one), one])).values()],
    tokens: parts.filter((part) => part.kind === 'serviceAccountToken'),
    podFields: [...new Set(fields)].filter(isChanging),
  };
}

export const objectKey = ({ kind, name }: VolumeObject): string => `${kind}/${name}`;

/**
 * Which version of its sources a volume would be made of: the same text for the same versions of the same objects and the same
 * fields of the pod. `versionOf`: an object's resourceVersion; undefined: there is none. It tells nothing of what is in them.
 */
export function sourceVersion(
  volume: Volume,
  pod: Pod,
  versionOf: (object: VolumeObject) => string | undefined,
): string {
  const { objects, podFields } = volumeSources(volume);
  const versions = objects.map((object) => [objectKey(object), versionOf(object) ?? null]);
  const values = podFields.map((path) => [path, fieldValue(pod, path, { hostIP: '', place: 'volume' }) ?? null]);
  return createHash('sha256')
    .update(JSON.stringify([versions, values]))
    .digest('base64url')
    .slice(0, 22);
}
