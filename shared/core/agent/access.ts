import { agentKey, agentNonce } from './key.ts';
import type { RootKeys } from './key.ts';
import type { AgentAccess } from './agent-facts.ts';

/** Which key a PUT's group has: no secret, so it is in the intent and in the group's tags. */
export interface AgentKeyName {
  readonly kid: string;
  readonly nonce: string;
}

export const isSameKey = (one: AgentKeyName, other: AgentKeyName): boolean =>
  one.kid === other.kid && one.nonce === other.nonce;

/** What an app gives agents their keys from. */
export interface AccessGround {
  /** `https://…`, without a slash at its end. */
  readonly appUrl: string;
  readonly keys: RootKeys;
}

/**
 * The key of a PUT: that of the one before, where nobody knows whether it landed, so that both make the same group; else a
 * new one, of 16 `random` bytes.
 */
export function keyOfPut(keys: RootKeys, former: AgentKeyName | undefined, random: Uint8Array): AgentKeyName {
  const isKnown = former !== undefined && Object.hasOwn(keys.roots, former.kid);
  return isKnown ? former : { kid: keys.current, nonce: agentNonce(random) };
}

/** What the agents of that PUT's group speak to the app with. Undefined: there is no such root. */
export function agentAccess(
  { appUrl, keys }: AccessGround,
  podUid: string,
  { kid, nonce }: AgentKeyName,
): AgentAccess | undefined {
  const root = Object.hasOwn(keys.roots, kid) ? keys.roots[kid] : undefined;
  if (root === undefined) return undefined;
  const place = `${appUrl}/api/pods/${encodeURIComponent(podUid)}`;
  return {
    reportUrl: `${place}/reports`,
    filesUrl: `${place}/files`,
    kid,
    nonce,
    key: agentKey(root, { podUid, nonce }).toString('base64'),
  };
}
