import type { ImageConfig } from '../image/image-config.ts';
import { imageUser } from '../image/image-user.ts';
import { startsAsRoot } from '../pod/image-fit.ts';
import type { Judged } from '../pod/image-fit.ts';
import { wantedRights, wantedUser } from '../pod/security-context.ts';
import type { LostFeatures } from './findings/lost-features.ts';
import type { Program, User } from './orders.ts';

/** The number of the user that a container starts as; undefined: it is not known, or only its name. */
export function startUid(config: Pick<ImageConfig, 'user'> | undefined): number | undefined {
  if (config === undefined) return undefined;
  if (startsAsRoot(config)) return 0;
  const user = imageUser(config);
  return user.kind === 'uid' ? user.uid : undefined;
}

/**
 * Whom the agent has to become. Who does not start as root can't become anybody: then only the number is compared, where
 * the image has but a name.
 */
function programUser({ pod, member, index }: Judged, config: ImageConfig): User | undefined {
  const uid = wantedUser(pod, member, index).runAsUser?.value;
  const { runAsGroup, supplementalGroups, isStrict, fsGroup } = wantedRights(pod, member, index);
  if (!startsAsRoot(config)) return uid === undefined || startUid(config) === uid ? undefined : { uid };
  const groups = [...(supplementalGroups?.value ?? []), ...(fsGroup === undefined ? [] : [fsGroup])];
  const user: User = {
    ...(uid !== undefined && uid !== 0 && { uid }),
    ...(runAsGroup !== undefined && { gid: runAsGroup.value }),
    ...(groups.length > 0 && { groups: [...new Set(groups)] }),
    ...(isStrict && { strict: true as const }),
  };
  return Object.keys(user).length === 0 ? undefined : user;
}

/** What of the program is of its user and rights. An image that was not asked for starts as whoever it says. */
export function programRights(
  judged: Judged,
  config: ImageConfig | undefined,
  { hasHome, lost }: { readonly hasHome: boolean; readonly lost: LostFeatures | undefined },
): Pick<Program, 'user' | 'setHome' | 'capabilities' | 'noNewPrivileges'> {
  const user = config === undefined || lost?.has('runAsUser') === true ? undefined : programUser(judged, config);
  const { drop, add, noNewPrivileges } = wantedRights(judged.pod, judged.member, judged.index);
  const isOther = user?.uid !== undefined && config !== undefined && startsAsRoot(config);
  return {
    ...(user && { user }),
    ...(isOther && !hasHome && { setHome: true as const }),
    ...(drop.length > 0 &&
      lost?.has('capabilities') !== true && { capabilities: { drop, ...(add.length > 0 && { add }) } }),
    ...(noNewPrivileges && { noNewPrivileges: true as const }),
  };
}
