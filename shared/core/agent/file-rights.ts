import type { Pod } from '../kubernetes/pod.ts';
import { startsAsRoot } from '../pod/image-fit.ts';
import { locatedContainers } from '../pod/rules/rule.ts';
import { podFsGroup } from '../pod/security-context.ts';
import type { ResolvedReferences } from '../pod/translation.ts';
import type { FileRights } from './prepared-files.ts';
import { startUid } from './program-user.ts';

/**
 * Who has to read a volume's files. A kubelet gives every container the pod's fsGroup; who does not start as root can't be
 * given it, so its own user gets the files, or, where those are several, all of the pod do. `refresher`: who changes them.
 */
export function fileRights(
  pod: Pod,
  { images }: Pick<ResolvedReferences, 'images'>,
  volume: string,
  refresher: number | undefined,
): FileRights {
  const fsGroup = podFsGroup(pod);
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
