import type { JsonObject } from '../../../../shared/core/json.ts';

/** Who asks. */
export interface User {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export const authenticatedGroup = 'system:authenticated';
export const mastersGroup = 'system:masters';
const nodesGroup = 'system:nodes';
const nodeUserPrefix = 'system:node:';

export const anonymous: User = { name: 'system:anonymous', uid: '', groups: ['system:unauthenticated'], extra: {} };

export const userOf = (name: string, groups: readonly string[]): User => ({
  name,
  uid: '',
  groups: groups.includes(authenticatedGroup) ? groups : [...groups, authenticatedGroup],
  extra: {},
});

/** The node that this user is, or undefined. */
export const nodeNameOf = ({ name, groups }: User): string | undefined =>
  name.startsWith(nodeUserPrefix) && groups.includes(nodesGroup) ? name.slice(nodeUserPrefix.length) : undefined;

export const nodeUser = (name: string): User => userOf(`${nodeUserPrefix}${name}`, [nodesGroup]);

export const serviceAccountUser = (namespace: string, name: string, uid: string): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  uid,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, authenticatedGroup],
  extra: {},
});

/** As reviews show it. */
export const userJson = ({ name, uid, groups, extra }: User): JsonObject => ({
  username: name,
  ...(uid === '' ? {} : { uid }),
  groups,
  ...(Object.keys(extra).length === 0 ? {} : { extra }),
});
