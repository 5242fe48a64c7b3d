import { createHmac } from 'node:crypto';
import type { VolumeFile } from '../../pod/volume-files.ts';

/**
 * What is in a volume, as one text for the same paths, modes and bytes. Made with the agents' key, so that whoever reads rows or
 * reports can't find out what a Secret holds by trying.
 */
export function contentRevision(key: Uint8Array, files: readonly VolumeFile[]): string {
  const hmac = createHmac('sha256', key);
  for (const { path, mode, content } of files.toSorted((left, right) => (left.path < right.path ? -1 : 1)))
    hmac.update(JSON.stringify([path, mode, content.length])).update(content);
  return hmac.digest('base64url').slice(0, 22);
}

/**
 * A volume's revision, as an agent has it: its content but for its tokens, and when those are to be renewed. Nobody keeps a
 * token to compare with.
 */
export const volumeRevision = (content: string, renewAt: number | undefined): string =>
  renewAt === undefined ? content : `${content}.${renewAt.toString(36)}`;

const daySeconds = 86_400;

/** As a kubelet: at four fifths of its life, after a day at the latest. */
export const renewalSeconds = (lifetimeSeconds: number): number =>
  Math.floor(Math.min(lifetimeSeconds * 0.8, daySeconds));
