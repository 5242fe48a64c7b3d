import { ok, refuse } from '../pod/evaluation.ts';
import type { Evaluation } from '../pod/evaluation.ts';
import { readableMode } from '../pod/volume-files.ts';
import type { VolumeFile } from '../pod/volume-files.ts';
import type { PreparedVolume } from './orders.ts';

/** What the files of a volume come to: those that ACI puts there, and what `install` makes of them. */
export interface PreparedFiles {
  /** File name → base64 content. */
  readonly secret: Readonly<Record<string, string>>;
  /** Absent: they are as they are to be. */
  readonly prepared?: Omit<PreparedVolume, 'name' | 'path'>;
}

export interface FileRights {
  /** Of the pod. */
  readonly fsGroup: number | undefined;
  /** The only one who reads the files and can't be given the group. */
  readonly uid: number | undefined;
  /** Several can't, so that all may do what the group may. */
  readonly isShared: boolean;
}

export interface FileWishes extends FileRights {
  /** An agent changes the files: as a kubelet does, all at once by a link. */
  readonly isLive: boolean;
}

const base64 = (content: Uint8Array): string => Buffer.from(content).toString('base64');

const isNested = ({ path }: VolumeFile): boolean => path.includes('/');
/** The agent leaves such names to itself, as a kubelet does. */
export const isReserved = ({ path }: VolumeFile): boolean => path.startsWith('..');

/** The mode of a file of which everybody may do what the group may, where that is so. */
export const modeOf = ({ mode }: VolumeFile, isShared: boolean): number =>
  isShared ? mode | ((mode & 0o070) >> 3) : mode;

/** A tree where a file is in a folder, else the plain files, with modes and owners as the pod asks for them. */
export function prepareFiles(
  files: readonly VolumeFile[],
  wishes: FileWishes,
  field: string,
): Evaluation<PreparedFiles> {
  const { fsGroup, uid, isLive } = wishes;
  const sorted = files.toSorted((left, right) => (left.path < right.path ? -1 : 1));
  const hasFolders = sorted.some(isNested);
  const isTree = hasFolders || isLive;
  if (sorted.some(isReserved)) {
    if (hasFolders) return refuse(field, 'it has files in folders, and one whose name begins with ..');
    return ok({ secret: Object.fromEntries(sorted.map(({ path, content }) => [path, base64(content)])) });
  }
  const named = sorted.map((file, index) => ({ ...file, from: isTree ? `f${index}` : file.path }));
  const secret = Object.fromEntries(named.map(({ from, content }) => [from, base64(content)]));
  const isPlain = fsGroup === undefined && sorted.every(({ mode }) => mode === readableMode);
  if (!isLive && (sorted.length === 0 || (!isTree && isPlain))) return ok({ secret });
  return ok({
    secret,
    prepared: {
      layout: isTree ? 'data' : 'flat',
      files: named.map((file) => ({ from: file.from, path: file.path, mode: modeOf(file, wishes.isShared) })),
      ...(uid !== undefined && { uid }),
      ...(fsGroup !== undefined && { fsGroup }),
      readOnly: true,
    },
  });
}
