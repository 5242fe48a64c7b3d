import { createHash } from 'node:crypto';
import type { NodeKey } from '../../core/node/node-key.ts';

/**
 * Keys of the one table. Each node has a partition of its own, the budgets another; within a node's partition a pod
 * row, its due key and the birth marker can change in one entity-group transaction.
 */
const digits = 13;
const lastTime = 9_999_999_999_999;

/** Table keys forbid `/ \ # ?` and control characters, and `%` troubles clients: whatever is not plain becomes `!XX`. */
function encode(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9.-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `!${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('!', '%'));
}

const stamp = (timeMs: number): string =>
  String(Math.min(lastTime, Math.max(0, Math.ceil(timeMs)))).padStart(digits, '0');

/** No encoded part holds `_`, so two nodes never share a partition. */
export const nodePartition = (node: NodeKey): string => `${encode(node.cluster)}_${encode(node.node)}`;
/** Which node a partition is of; undefined when it is of none. */
export function parseNodePartition(partition: string): NodeKey | undefined {
  const [cluster = '', node = '', ...more] = partition.split('_');
  if (cluster === '' || node === '' || more.length > 0) return undefined;
  try {
    return { cluster: decode(cluster), node: decode(node) };
  } catch {
    return undefined;
  }
}

export const bucketPartition = 'buckets';
export const bucketKey = (name: string): string => `bucket-${encode(name)}`;
export const capacityKey = (size: string): string => `capacity-${encode(size)}`;

export const imagePartition = 'images';
export const imageConfigKey = (digest: string): string => `config-${encode(digest)}`;
/** By hash: a name may be longer than a key. */
export const imageTagKey = (image: string): string => `tag-${createHash('sha256').update(image).digest('hex')}`;

export const nodeRowKey = 'node';
export const podRowKey = (uid: string): string => `pod-${encode(uid)}`;
export const allPods = { from: 'pod-', to: 'pod-~' } as const;

export const dueKey = (timeMs: number, uid: string): string => `due-${stamp(timeMs)}-${encode(uid)}`;
export const allDue = { from: 'due-', to: 'due-~' } as const;
export const dueUntil = (timeMs: number): { from: string; to: string } => ({
  from: 'due-',
  to: `due-${stamp(Math.floor(timeMs))}~`,
});

/** Time and UID of a due key; undefined when it is none of ours. */
export function parseDueKey(rowKey: string): { readonly dueAt: number; readonly uid: string } | undefined {
  const match = /^due-(\d{13})-(.+)$/.exec(rowKey);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  try {
    return { dueAt: Number(match[1]), uid: decode(match[2]) };
  } catch {
    return undefined;
  }
}

export const birthKey = (timeMs: number): string => `born-${stamp(timeMs)}`;
export const allBirths = { from: 'born-', to: 'born-~' } as const;

export function parseBirthKey(rowKey: string): number | undefined {
  const match = /^born-(\d{13})$/.exec(rowKey);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** By the end, so that a time is a range; a pod may have several. */
export const usageKey = (endedAt: number, uid: string, index: number): string =>
  `usage-${stamp(endedAt)}-${encode(uid)}-${index}`;
export const usageFrom = (timeMs: number): { from: string; to: string } => ({
  from: `usage-${stamp(timeMs)}`,
  to: 'usage-~',
});
export const usageBefore = (timeMs: number): { from: string; to: string } => ({
  from: 'usage-',
  to: `usage-${stamp(timeMs)}`,
});
