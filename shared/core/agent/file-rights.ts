import type { Pod } from '../kubernetes/pod.ts';
import { startsAsRoot } from '../pod/image-fit.ts';
import { locatedContainers } from '../pod/rules/rule.ts';
import { podFsGroup } from '../pod/security-context.ts';
import type { ResolvedReferences } from '../pod/translation.ts';
import type { LostFeatures } from './findings/lost-features.ts';
import type { FileRights } from './prepared-files.ts';
import { startUid } from './program-user.ts';

/** The group that files get; undefined: none is asked for, or a probe found that none can be given here. */
export const givenFsGroup = (pod: Pod, lost: LostFeatures | undefined): number | undefined =>
  lost?.has('fsGroup') === true ? undefined : podFsGroup(pod);

/** Whether files keep the mode that ACI gives them: theirs can't be changed, or counts on a group that they can't have. */
export const hasPlainModes = (pod: Pod, lost: LostFeatures | undefined): boolean =>
  lost?.has('mode') === true || (lost?.has('fsGroup') === true && podFsGroup(pod) !== undefined);

/**
 * Who has to read a volume's files. A kubelet gives every container the pod's fsGroup; who does not start as root can't be
 * given it, so its own user gets the files, or, where those are several, all of the pod do. `refresher`: who changes them.
 */
export function fileRights(
  pod: Pod,
  { images }: Pick<ResolvedReferences, 'images'>,
  volume: string,
  { refresher, lost }: { readonly refresher: number | undefined; readonly lost: LostFeatures | undefined },
): FileRights {
  const fsGroup = givenFsGroup(pod, lost);
  if (fsGroup === undefined) return { fsGroup, uid: refresher, isShared: false };
  const readers = locatedContainers(pod).filter(({ container }) =>
    container.volumeMounts.some(({ name }) => name === volume),
  );
  const others = new Set(
    readers.flatMap(({ container: { image } }) => {
      const config = images.get(image);
      if (config === undefined || !config.ok) return [];
      return startsAsRoot(config.value) ? [] : [startUid(config.value)];
    }),
  );
  const [uid] = others;
  const owner = refresher ?? (others.size === 1 ? uid : undefined);
  return { fsGroup, uid: owner, isShared: [...others].some((other) => other === undefined || other !== owner) };
}
