import type { ImageConfig } from '../image/image-config.ts';
import { imageUser, nonRootFault } from '../image/image-user.ts';
import type { ImageUser } from '../image/image-user.ts';
import type { Container, Pod } from '../kubernetes/pod.ts';
import { defined } from '../defined.ts';
import { configError, ok, refuse } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { wantedUser } from './security-context.ts';
import type { Located, Member } from './security-context.ts';

export interface Judged {
  readonly pod: Pod;
  readonly container: Container;
  readonly member: Member;
  readonly index: number;
}

const nameOf = (user: ImageUser): string =>
  user.kind === 'name' ? user.name : user.uid === 0 ? 'root' : `${user.uid}`;

/** Root by its name is root; any other name stands for a number that only the image's files say. */
const isUser = (user: ImageUser, uid: number): boolean =>
  user.kind === 'uid' ? user.uid === uid : user.name === 'root' && uid === 0;

function judgeUser({ value, path }: Located<number>, image: string, config: ImageConfig): Evaluation<undefined> {
  const user = imageUser(config);
  if (isUser(user, value)) return ok(undefined);
  const why = `the image ${image} runs as ${nameOf(user)}, and ACI can't set another user`;
  // What does not begin as root can't become somebody else.
  const isFinal = user.kind === 'uid' && user.uid !== 0;
  return { ...refuse(path, why), ...(isFinal && { isFinal }) };
}

const withoutSlash = (folder: string): string => folder.replace(/\/+$/, '') || '/';

function judgeFolder(
  { value, path }: Located<string>,
  image: string,
  { workingDir }: ImageConfig,
): Evaluation<undefined> {
  if (withoutSlash(value) === withoutSlash(workingDir)) return ok(undefined);
  const own = withoutSlash(workingDir);
  return refuse(path, `the image ${image} starts in ${own}, and ACI can't set another folder`);
}

/**
 * Whether the image gives anyway what the container asks for and ACI can't set: its user, its folder. `runAsNonRoot` is
 * judged as a kubelet judges it, and waited for in its words (`CreateContainerConfigError`).
 */
export function judgeImage({ pod, container, member, index }: Judged, config: ImageConfig): Evaluation<undefined> {
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
  const user = runAsUser === undefined ? ok(undefined) : judgeUser(runAsUser, container.image, config);
  if (user.kind !== 'ok' || workingDir === undefined) return user;
  return judgeFolder(workingDir, container.image, config);
}
