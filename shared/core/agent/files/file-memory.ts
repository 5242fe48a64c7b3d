import { isSameKey } from '../access.ts';
import type { AgentKeyName } from '../access.ts';

/** What a pod's row knows of the volumes whose files its agents change; `none`: there are none. */
export type KnownFiles = FileMemory | 'none';

export interface FileMemory {
  /** Of the PUT that made the group: whose agents alone may ask. */
  readonly key: AgentKeyName;
  /** By the name of the volume. */
  readonly volumes: Readonly<Record<string, VolumeMemory>>;
}

export interface VolumeMemory {
  /** Whose agent changes it. */
  readonly container: string;
  /** As the group was created with it: what an agent has that names no revision. Undefined: nobody knows any more. */
  readonly made?: string;
  /** What its sources were when it was last given to the agent (`sourceVersion`); empty: nobody knows. */
  readonly version: string;
  /** When its tokens are to be renewed, Table service's time; undefined: it has none. */
  readonly renewAt?: number;
  /** Everybody may do with the files what the group may (`fileRights`). */
  readonly isShared?: true;
}

/**
 * What the row has after two wrote it: who works on the pod writes it with each PUT and never else, and what agents were
 * given since is added by whoever gave it.
 */
export function joinedFiles(ours: KnownFiles | undefined, theirs: KnownFiles | undefined): KnownFiles | undefined {
  if (ours === undefined) return theirs;
  if (ours === 'none' || theirs === undefined || theirs === 'none') return ours;
  return isSameKey(ours.key, theirs.key) ? theirs : ours;
}

/** Undefined: no volume of it is live, or nobody knows. */
export const liveMemory = (files: KnownFiles | undefined): FileMemory | undefined =>
  files === 'none' ? undefined : files;

/**
 * The same with what an agent was given of some volumes. `unasked`: those that its orders do not have as live, whatever was
 * concluded of them.
 */
export function withGiven(
  memory: FileMemory,
  given: ReadonlyMap<string, Pick<VolumeMemory, 'version' | 'renewAt'>>,
  unasked: ReadonlySet<string> = new Set(),
): FileMemory {
  const asked = Object.entries(memory.volumes).filter(([name]) => !unasked.has(name));
  const volumes = asked.map(([name, volume]): [string, VolumeMemory] => {
    const now = given.get(name);
    if (now === undefined) return [name, volume];
    const { renewAt: _, ...rest } = volume;
    return [name, { ...rest, ...now }];
  });
  return { ...memory, volumes: Object.fromEntries(volumes) };
}
