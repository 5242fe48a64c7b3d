import { isJsonObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { numberAt, objectAt, textAt } from '../json-access.ts';
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

const numberOf = (found: Located<Json> | undefined): Located<number> | undefined =>
  typeof found?.value === 'number' ? { value: found.value, path: found.path } : undefined;

export function wantedUser(pod: Pod, member: Member, index: number): WantedUser {
  const nonRoot = found(pod, member, index, 'runAsNonRoot');
  const folder = textAt(rawContainer(pod, member, index), 'workingDir');
  return {
    runAsUser: numberOf(found(pod, member, index, 'runAsUser')),
    runAsNonRoot: nonRoot?.value === true ? { value: true, path: nonRoot.path } : undefined,
    workingDir: folder !== '' ? { value: folder, path: `spec.${member}[${index}].workingDir` } : undefined,
  };
}

/** What one container asks of the groups and rights of its program. */
export interface WantedRights {
  readonly runAsGroup: Located<number> | undefined;
  /** Of the pod. */
  readonly supplementalGroups: Located<readonly number[]> | undefined;
  readonly isStrict: boolean;
  readonly fsGroup: number | undefined;
  readonly drop: readonly string[];
  readonly add: readonly string[];
  readonly noNewPrivileges: boolean;
}

export const podFsGroup = ({ rawSpec }: Pick<Pod, 'rawSpec'>): number | undefined =>
  numberAt(objectAt(rawSpec, 'securityContext'), 'fsGroup');

const texts = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

export function wantedRights(pod: Pod, member: Member, index: number): WantedRights {
  const common = objectAt(pod.rawSpec, 'securityContext');
  const own = objectAt(rawContainer(pod, member, index), 'securityContext');
  const { supplementalGroups } = common;
  const groups = Array.isArray(supplementalGroups) ? supplementalGroups.filter((one) => typeof one === 'number') : [];
  const capabilities = objectAt(own, 'capabilities');
  return {
    runAsGroup: numberOf(found(pod, member, index, 'runAsGroup')),
    supplementalGroups:
      groups.length > 0 ? { value: groups, path: 'spec.securityContext.supplementalGroups' } : undefined,
    isStrict: common['supplementalGroupsPolicy'] === 'Strict',
    fsGroup: podFsGroup(pod),
    drop: texts(capabilities['drop']),
    add: texts(capabilities['add']),
    noNewPrivileges: own['allowPrivilegeEscalation'] === false,
  };
}
