import { imageUser } from '../image/image-user.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { nameOf, startsAsRoot } from '../pod/image-fit.ts';
import { locatedContainers } from '../pod/rules/rule.ts';
import type { ResolvedReferences } from '../pod/translation.ts';
import { keyText } from './wraps.ts';

const passing: ReadonlySet<string> = new Set(['throttled', 'transient']);

/**
 * By `keyText`, the containers that name no command and of whose image the registry does not say one to the app, and won't:
 * ACI may well pull it, and start it, but the agent could not.
 */
export const unreadPrograms = (pod: Pod, { images }: Pick<ResolvedReferences, 'images'>): ReadonlySet<string> =>
  new Set(
    locatedContainers(pod).flatMap((located) => {
      const { command, image } = located.container;
      const read = images.get(image);
      const isUnread = command.length === 0 && read?.ok === false && !passing.has(read.fault.kind);
      return isUnread ? [keyText(located)] : [];
    }),
  );

/** By `keyText`, as whom containers start whose image is known to have another user than root. */
export const otherUsers = (pod: Pod, { images }: Pick<ResolvedReferences, 'images'>): ReadonlyMap<string, string> =>
  new Map(
    locatedContainers(pod).flatMap((located) => {
      const read = images.get(located.container.image);
      if (read?.ok !== true || startsAsRoot(read.value)) return [];
      return [[keyText(located), nameOf(imageUser(read.value))] as const];
    }),
  );
