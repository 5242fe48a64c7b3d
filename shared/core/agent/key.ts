import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** The roots of all agents' keys, by the names that groups' tags have for them. */
export interface RootKeys {
  /** Of the root that new groups get their keys from. */
  readonly current: string;
  /** That one, and former ones which groups still use. */
  readonly roots: Readonly<Record<string, Uint8Array>>;
}

/** One key's place: one PUT of one pod. */
export interface KeyScope {
  readonly podUid: string;
  readonly nonce: string;
}

export const rootBytes = 32;
export const nonceBytes = 16;

/** The nonce of a PUT, for its intent and its group's tags, from 16 random bytes. */
export function agentNonce(random: Uint8Array): string {
  if (random.length !== nonceBytes) throw new Error(`a nonce is made of ${nonceBytes} random bytes`);
  return Buffer.from(random).toString('base64url');
}

/**
 * The key of the agents of one group: HKDF-SHA256 (RFC 5869) of a root, for a pod's UID and the nonce of the PUT. Whoever
 * has it knows neither the root nor any other pod's key, nor that of the same pod's group made anew.
 */
export function agentKey(root: Uint8Array, { podUid, nonce }: KeyScope): Buffer {
  // As JSON no two pairs are the same text.
  const info = JSON.stringify(['serverless-kubelet agent 1', podUid, nonce]);
  return Buffer.from(hkdfSync('sha256', root, Buffer.alloc(0), info, rootBytes));
}

const scheme = 'SK-HMAC-SHA256';
const header = new RegExp(`^${scheme} (?<hex>[0-9a-f]{64})$`);

/** The header `authorization` of what an agent sends. */
export const signature = (key: Uint8Array, body: Uint8Array): string =>
  `${scheme} ${createHmac('sha256', key).update(body).digest('hex')}`;

/** What came with a body, by its sender's own words; `kid` and the rest are those of the group's tags too, or it is refused before. */
export interface SignedBody extends KeyScope {
  readonly kid: string;
  readonly body: Uint8Array;
  /** The header of that name. */
  readonly authorization: string | undefined;
}

export type Verdict =
  | { readonly ok: true }
  /** `unsigned`: no signature that could be one; `unknown-key`: no root of that name; `forged`: not of that pod and PUT, or other bytes. */
  | { readonly ok: false; readonly reason: 'unsigned' | 'unknown-key' | 'forged' };

/** Whether the agents of that group have sent these very bytes. How long it takes says nothing of how wrong a signature is. */
export function verifySignature(keys: RootKeys, { kid, body, authorization, ...scope }: SignedBody): Verdict {
  const hex = header.exec(authorization ?? '')?.groups?.['hex'];
  if (hex === undefined) return { ok: false, reason: 'unsigned' };
  const root = Object.hasOwn(keys.roots, kid) ? keys.roots[kid] : undefined;
  if (root === undefined) return { ok: false, reason: 'unknown-key' };
  const expected = createHmac('sha256', agentKey(root, scope)).update(body).digest();
  return timingSafeEqual(expected, Buffer.from(hex, 'hex')) ? { ok: true } : { ok: false, reason: 'forged' };
}

/** A root's name follows from it, so that none is ever used twice; nobody learns the root from it. */
export const rootName = (root: Uint8Array): string =>
  `r${createHash('sha256').update('serverless-kubelet root\n').update(root).digest('hex').slice(0, 10)}`;

/** Keys of one root, of 32 random bytes. */
export function firstRoot(random: Uint8Array): RootKeys {
  if (random.length !== rootBytes) throw new Error(`a root is made of ${rootBytes} random bytes`);
  const current = rootName(random);
  return { current, roots: { [current]: random } };
}

/**
 * The same with another current root. Of the former ones stay those that a group's tag names, and the one that was current
 * until now, which a PUT that is under way may use. Pure.
 */
export function rotated(keys: RootKeys, random: Uint8Array, named: ReadonlySet<string>): RootKeys {
  const next = firstRoot(random);
  const former = Object.entries(keys.roots).filter(([kid]) => kid === keys.current || named.has(kid));
  return { current: next.current, roots: { ...next.roots, ...Object.fromEntries(former) } };
}
