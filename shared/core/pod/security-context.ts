import { isJsonObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { objectAt, textAt } from '../json-access.ts';
import type { Pod } from '../kubernetes/pod.ts';

export type Member = 'initContainers' | 'containers';

/** A value of a security context, and where it is: the container's own wins over the pod's. */
export interface Located<T> {
  readonly value: T;
  readonly path: string;
}

const rawContainer = ({ rawSpec }: Pod, member: Member, index: number): JsonObject => {
  const list = rawSpec[member];
  const container = Array.isArray(list) ? list[index] : undefined;
  return isJsonObject(container) ? container : {};
};

function found(pod: Pod, member: Member, index: number, name: string): Located<Json> | undefined {
  const own = objectAt(rawContainer(pod, member, index), 'securityContext')[name];
  if (own !== undefined && own !== null)
    return { value: own, path: `spec.${member}[${index}].securityContext.${name}` };
  const common = objectAt(pod.rawSpec, 'securityContext')[name];
  return common === undefined || common === null ? undefined : { value: common, path: `spec.securityContext.${name}` };
}

/** What one container asks of the user that it runs as, and of the folder in which it starts. */
export interface WantedUser {
  readonly runAsUser: Located<number> | undefined;
  readonly runAsNonRoot: Located<true> | undefined;
  readonly workingDir: Located<string> | undefined;
}

export function wantedUser(pod: Pod, member: Member, index: number): WantedUser {
  const user = found(pod, member, index, 'runAsUser');
  const nonRoot = found(pod, member, index, 'runAsNonRoot');
  const folder = textAt(rawContainer(pod, member, index), 'workingDir');
  return {
    runAsUser: typeof user?.value === 'number' ? { value: user.value, path: user.path } : undefined,
    runAsNonRoot: nonRoot?.value === true ? { value: true, path: nonRoot.path } : undefined,
    workingDir: folder !== '' ? { value: folder, path: `spec.${member}[${index}].workingDir` } : undefined,
  };
}
