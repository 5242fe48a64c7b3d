import type { Need } from '../agent/tier.ts';
import type { ImageConfig } from '../image/image-config.ts';
import { imageUser, nonRootFault } from '../image/image-user.ts';
import type { ImageUser } from '../image/image-user.ts';
import type { Container, Pod } from '../kubernetes/pod.ts';
import { defined } from '../defined.ts';
import { configError, ok, refuse } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { wantedRights, wantedUser } from './security-context.ts';
import type { Located, Member } from './security-context.ts';

export interface Judged {
  readonly pod: Pod;
  readonly container: Container;
  readonly member: Member;
  readonly index: number;
}

/** For a sentence. */
export const nameOf = (user: ImageUser): string =>
  user.kind === 'name' ? user.name : user.uid === 0 ? 'root' : `${user.uid}`;

/** Who can become somebody else. */
const isRoot = (user: ImageUser): boolean => (user.kind === 'uid' ? user.uid === 0 : user.name === 'root');

/** Whether the image starts as root, by its name or number; any other name stands for a number that only its files say. */
export const startsAsRoot = (config: Pick<ImageConfig, 'user'>): boolean => isRoot(imageUser(config));

const isUser = (user: ImageUser, uid: number): boolean =>
  user.kind === 'uid' ? user.uid === uid : user.name === 'root' && uid === 0;

/** The group of `USER`, where it is a number; root's is 0. */
function imageGroup({ user }: Pick<ImageConfig, 'user'>): number | undefined {
  const [, group] = user.split(':', 2);
  if (group !== undefined && /^\d+$/.test(group)) return Number(group);
  return group === undefined && startsAsRoot({ user }) ? 0 : undefined;
}

const needOf = ({ member, index }: Judged, field: string, why: string): Need => ({
  tier: 'T1',
  strength: 'needs',
  field,
  why,
  concerns: { member, index },
});

function judgeUser(judged: Judged, { value, path }: Located<number>, config: ImageConfig): Evaluation<readonly Need[]> {
  const user = imageUser(config);
  if (isUser(user, value)) return ok([]);
  const runs = `the image ${judged.container.image} runs as ${nameOf(user)}`;
  // A name may be that of the user that is wanted.
  if (user.kind === 'uid' && user.uid !== 0)
    return refuse(path, `${runs}, and who is not root can't become another user`);
  return ok([needOf(judged, path, `${runs}, and ACI can't set another user`)]);
}

/** Groups are the agent's to set, where it starts as root; a group beside the image's user is otherwise only noted. */
function judgeGroups(judged: Judged, config: ImageConfig): Evaluation<readonly Need[]> {
  const { runAsGroup, supplementalGroups, isStrict } = wantedRights(judged.pod, judged.member, judged.index);
  if (!startsAsRoot(config)) {
    const why = `the image ${judged.container.image} runs as ${nameOf(imageUser(config))}, which can't change its groups`;
    if (supplementalGroups !== undefined) return refuse(supplementalGroups.path, why);
    return isStrict ? refuse('spec.securityContext.supplementalGroupsPolicy', why) : ok([]);
  }
  if (runAsGroup === undefined || runAsGroup.value === imageGroup(config)) return ok([]);
  return ok([{ ...needOf(judged, runAsGroup.path, ''), strength: 'wants' }]);
}

const withoutSlash = (folder: string): string => folder.replace(/\/+$/, '') || '/';

function judgeFolder(judged: Judged, { value, path }: Located<string>, { workingDir }: ImageConfig): readonly Need[] {
  const own = withoutSlash(workingDir);
  if (withoutSlash(value) === own) return [];
  return [
    needOf(judged, path, `the image ${judged.container.image} starts in ${own}, and ACI can't set another folder`),
  ];
}

/**
 * What of the user, the groups and the folder that the container asks for the image does not give anyway, so that the agent
 * has to; what nobody can is refused. `runAsNonRoot` is judged as a kubelet judges it, and waited for in its words
 * (`CreateContainerConfigError`).
 */
export function judgeImage(judged: Judged, config: ImageConfig): Evaluation<readonly Need[]> {
  const { pod, container, member, index } = judged;
  const { runAsUser, runAsNonRoot, workingDir } = wantedUser(pod, member, index);
  const fault = nonRootFault(
    {
      container: container.name,
      pod: pod.metadata,
      runAsNonRoot: runAsNonRoot !== undefined,
      ...defined({ runAsUser: runAsUser?.value }),
    },
    config,
  );
  if (fault !== undefined && runAsNonRoot !== undefined) return { ...configError(fault), field: runAsNonRoot.path };
  const user = runAsUser === undefined ? ok([]) : judgeUser(judged, runAsUser, config);
  if (user.kind !== 'ok') return user;
  const groups = judgeGroups(judged, config);
  if (groups.kind !== 'ok') return groups;
  const folder = workingDir === undefined ? [] : judgeFolder(judged, workingDir, config);
  return ok([...user.value, ...groups.value, ...folder]);
}
