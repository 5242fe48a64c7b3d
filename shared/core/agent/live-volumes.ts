import type { Pod, VolumeMount } from '../kubernetes/pod.ts';
import { locatedSources } from '../pod/volume-folders.ts';
import { isWholeVolume } from '../pod/mounted-volumes.ts';
import { locatedContainers } from '../pod/rules/rule.ts';
import type { Located } from '../pod/rules/rule.ts';
import { flatContainers } from '../pod/sidecars.ts';
import type { ResolvedReferences } from '../pod/translation.ts';
import { isReadOnlyVolume } from '../pod/volume-kinds.ts';
import type { AgentDecision } from './decision.ts';
import type { LostFeatures } from './findings/lost-features.ts';
import { startUid } from './program-user.ts';
import { keyText } from './wraps.ts';

/** Who brings later changes into a volume. */
export interface Refresher {
  /** `keyText` of the container whose agent does. */
  readonly key: string;
  /** As whom it runs: the files are its own. */
  readonly uid: number;
}

/** By the names of the volumes whose files follow what they are made of. */
export type LiveVolumes = ReadonlyMap<string, Refresher>;

const isWhole = (mount: VolumeMount): boolean => isWholeVolume(mount) && (mount.subPathExpr ?? '') === '';

/** Volumes with Secrets whose later values are not to be on a disk, which a probe found them to be on. */
export const keptSecrets = (pod: Pod, lost: LostFeatures | undefined): Pod['spec']['volumes'] =>
  lost?.has('Secrets that are renewed in running containers') === true
    ? pod.spec.volumes.filter(({ source }) => locatedSources(source, '').some((one) => one.source.kind === 'secret'))
    : [];

/** Those that run beside each other, containers first: they are there for longer. */
function runningOf(pod: Pod): readonly Located[] {
  const flat = new Set(flatContainers(pod).map(({ index }) => index));
  const located = locatedContainers(pod);
  return [
    ...located.filter(({ member }) => member === 'containers'),
    ...located.filter(({ member, index }) => member === 'initContainers' && flat.has(index)),
  ];
}

/**
 * Volumes of files that an agent beside a program can change, as a kubelet does: one agent for each, that of the first
 * container which mounts it as a whole and of whose user the number is known. A part of a volume never changes, nor does it
 * with a kubelet.
 */
export function liveVolumes(
  pod: Pod,
  given: AgentDecision,
  { images }: Pick<ResolvedReferences, 'images'>,
): LiveVolumes {
  const live = new Map<string, Refresher>();
  if (given.kind === 'none' || given.lost?.has('renewed volumes') === true) return live;
  const kept = new Set(keptSecrets(pod, given.lost).map(({ name }) => name));
  for (const located of runningOf(pod)) {
    const key = keyText(located);
    const image = images.get(located.container.image);
    const uid = image?.ok === true ? startUid(image.value) : undefined;
    if (given.wraps.get(key) !== 'supervise' || uid === undefined) continue;
    for (const mount of located.container.volumeMounts)
      if (isWhole(mount) && isReadOnlyVolume(pod, mount.name) && !kept.has(mount.name) && !live.has(mount.name))
        live.set(mount.name, { key, uid });
  }
  return live;
}
