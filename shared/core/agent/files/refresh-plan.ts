import type { Pod } from '../../kubernetes/pod.ts';
import type { PodRow } from '../../reconcile/pod-row.ts';
import { liveMemory } from './file-memory.ts';
import type { FileMemory } from './file-memory.ts';
import { isRenewalDue } from './judge-volume.ts';
import { sourceVersion, volumeSources } from './volume-sources.ts';
import type { VolumeObject } from './volume-sources.ts';

/** A row of a pod whose agents change files. */
export type WatchedRow = PodRow & { readonly files: FileMemory };

/** Whether the files of a pod are to be kept up to date: it has a group, and neither has ended nor is to end. */
export const isWatched = (row: PodRow): row is WatchedRow => liveMemory(row.files) !== undefined && isLiving(row);

/** Whether a row says nothing of its group's volumes, which would have to be found out. */
export const isUnknown = (row: PodRow): boolean => row.files === undefined && isLiving(row);

const isLiving = (row: PodRow): boolean =>
  row.intent.kind === 'accepted' &&
  row.intent.replacing !== true &&
  row.ending === undefined &&
  !row.settled &&
  row.orphan === undefined &&
  (row.lastSeen === undefined || row.lastSeen === 'alive');

/** Whether fields of the pod itself are in its live volumes, so that it has to be read each time. */
export const followsPod = (pod: Pod, files: FileMemory): boolean =>
  liveOf(pod, files).some(({ volume }) => volumeSources(volume).podFields.length > 0);

/** The objects that the live volumes of a pod are made of; of its namespace. */
export const watchedObjects = (pod: Pod, files: FileMemory): readonly VolumeObject[] =>
  liveOf(pod, files).flatMap(({ volume }) => volumeSources(volume).objects);

/** What a look at an object came to; `unknown`: it could not be read. */
export type SeenVersion =
  | { readonly kind: 'seen'; readonly version: string | undefined }
  | { readonly kind: 'unknown' };

/** A container whose agent is to be woken, and for what: the same text for the same changes. */
export interface DueContainer {
  readonly container: string;
  readonly why: string;
}

/** The containers with a volume of which something is newer than what its agent was given, or a token is to be renewed. */
export function dueContainers(
  pod: Pod,
  files: FileMemory,
  { versionOf, now }: { readonly versionOf: (object: VolumeObject) => SeenVersion; readonly now: number },
): readonly DueContainer[] {
  const due = new Map<string, string[]>();
  for (const { volume, memory } of liveOf(pod, files)) {
    const seen = new Map(volumeSources(volume).objects.map((object) => [object.kind + object.name, versionOf(object)]));
    const isKnown = [...seen.values()].every(({ kind }) => kind === 'seen');
    const version = isKnown
      ? sourceVersion(volume, pod, ({ kind, name }) => {
          const one = seen.get(kind + name);
          return one?.kind === 'seen' ? one.version : undefined;
        })
      : memory.version;
    const isChanged = version !== memory.version;
    if (!isChanged && !isRenewalDue(memory, now)) continue;
    const why = `${volume.name} ${isChanged ? version : `token ${memory.renewAt ?? 0}`}`;
    due.set(memory.container, [...(due.get(memory.container) ?? []), why]);
  }
  return [...due].map(([container, why]) => ({ container, why: why.join(', ') }));
}

const liveOf = (pod: Pod, files: FileMemory) =>
  pod.spec.volumes.flatMap((volume) => {
    const memory = Object.hasOwn(files.volumes, volume.name) ? files.volumes[volume.name] : undefined;
    return memory === undefined ? [] : [{ volume, memory }];
  });
