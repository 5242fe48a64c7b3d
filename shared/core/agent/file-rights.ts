import type { Pod } from '../kubernetes/pod.ts';
import { startsAsRoot } from '../pod/image-fit.ts';
import { locatedContainers } from '../pod/rules/rule.ts';
import { podFsGroup } from '../pod/security-context.ts';
import type { ResolvedReferences } from '../pod/translation.ts';
import type { FileRights } from './prepared-files.ts';
import { startUid } from './program-user.ts';

/**
 * Who has to read a volume's files. A kubelet gives every container the pod's fsGroup; who does not start as root can't be
 * given it, so its own user gets the files, or, where those are several, all of the pod do.
 */
export function fileRights(pod: Pod, { images }: Pick<ResolvedReferences, 'images'>, volume: string): FileRights {
  const fsGroup = podFsGroup(pod);
  if (fsGroup === undefined) return { fsGroup, uid: undefined, isShared: false };
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
  return others.size === 1 && uid !== undefined
    ? { fsGroup, uid, isShared: false }
    : { fsGroup, uid: undefined, isShared: others.size > 0 };
}
