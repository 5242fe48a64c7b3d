import type { Volume } from '../../kubernetes/pod.ts';
import type { EnvironmentScope } from '../../pod/environment.ts';
import type { VolumeFile } from '../../pod/volume-files.ts';
import type { VolumeMemory } from './file-memory.ts';
import { liveFiles, versionIn } from './live-files.ts';
import type { TokenValues } from './live-files.ts';
import { contentRevision, renewalSeconds, volumeRevision } from './revision.ts';
import { sourceVersion } from './volume-sources.ts';

/** A live volume that an agent asks for. */
export interface AskedVolume {
  readonly volume: Volume;
  readonly memory: VolumeMemory;
  /** The revision that the agent has; undefined: that of the group's creation. */
  readonly known: string | undefined;
}

export type VolumeVerdict =
  /** The agent has what there is. */
  | { readonly kind: 'same'; readonly version: string }
  /** Something that is required is missing, or it would be no tree of files: what is there stays, as with a kubelet. */
  | { readonly kind: 'kept'; readonly version: string; readonly why: string }
  /** All its files are to be sent; those with tokens need them first. */
  | { readonly kind: 'changed'; readonly version: string; readonly content: string };

/**
 * What is to be done with a volume, from its sources as they were just read. Pure. `key`: of the agents; `now`: Table service's
 * time.
 */
export function judgeVolume(
  scope: EnvironmentScope,
  { volume, memory, known = memory.made }: AskedVolume,
  { key, now }: { readonly key: Uint8Array; readonly now: number },
): VolumeVerdict {
  const version = sourceVersion(volume, scope.pod, versionIn(scope.resolved));
  const files = liveFiles(scope, { volume, isShared: memory.isShared === true });
  if (files.kind !== 'ok') return { kind: 'kept', version, why: files.message };
  const content = contentRevision(key, files.value);
  const isSame = known === volumeRevision(content, memory.renewAt) && !isRenewalDue(memory, now);
  return isSame ? { kind: 'same', version } : { kind: 'changed', version, content };
}

export const isRenewalDue = ({ renewAt }: VolumeMemory, now: number): boolean =>
  renewAt !== undefined && now >= renewAt;

/** A volume as it is sent, and when its tokens are to be renewed. */
export interface SentVolume {
  readonly revision: string;
  readonly files: readonly VolumeFile[];
  readonly renewAt?: number;
}

/** The same with the tokens that were just issued; undefined: it can't be made with them. */
export function sentVolume(
  scope: EnvironmentScope,
  { volume, memory }: AskedVolume,
  {
    content,
    tokens,
    lifetimes,
    now,
  }: {
    readonly content: string;
    readonly tokens: TokenValues;
    /** Of those tokens, seconds. */
    readonly lifetimes: readonly number[];
    readonly now: number;
  },
): SentVolume | undefined {
  const files = liveFiles(scope, { volume, isShared: memory.isShared === true, tokens });
  if (files.kind !== 'ok') return undefined;
  const renewAt = lifetimes.length === 0 ? undefined : now + renewalSeconds(Math.min(...lifetimes)) * 1000;
  return {
    revision: volumeRevision(content, renewAt),
    files: files.value,
    ...(renewAt !== undefined && { renewAt }),
  };
}

/** Of base64 and JSON around it; never less than what is sent. */
export const sentBytes = ({ files }: SentVolume): number =>
  files.reduce((sum, { path, content }) => sum + Math.ceil(content.length / 3) * 4 + path.length * 6 + 64, 1024);
