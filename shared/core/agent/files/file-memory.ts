import { isSameKey } from '../access.ts';
import type { AgentKeyName } from '../access.ts';

/** What a pod's row knows of the volumes whose files its agents change. */
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
export function joinedFiles(ours: FileMemory | undefined, theirs: FileMemory | undefined): FileMemory | undefined {
  if (ours === undefined || theirs === undefined) return ours;
  return isSameKey(ours.key, theirs.key) ? theirs : ours;
}

/** The same with what an agent was given of some volumes. */
export function withGiven(
  memory: FileMemory,
  given: ReadonlyMap<string, Pick<VolumeMemory, 'version' | 'renewAt'>>,
): FileMemory {
  const volumes = Object.entries(memory.volumes).map(([name, volume]): [string, VolumeMemory] => {
    const now = given.get(name);
    if (now === undefined) return [name, volume];
    const { renewAt: _, ...rest } = volume;
    return [name, { ...rest, ...now }];
  });
  return { ...memory, volumes: Object.fromEntries(volumes) };
}
