import { fail, ok } from '../fault.ts';
import type { Result } from '../fault.ts';

/** What an index says of one of its manifests. */
export interface IndexEntry {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

/** All that ACI runs of Linux (docs/aci.md). */
const os = 'linux';
const architecture = 'amd64';
const named = 8;

/** No image of this name runs on ACI: `NoMatchingPlatform` names what there is. */
export const noMatchingPlatform = (platforms: readonly string[]): Result<never> => {
  const known = [...new Set(platforms)].slice(0, named);
  const there = known.length === 0 ? 'it names no platform' : `there is ${known.join(', ')}`;
  return fail({
    kind: 'rejected',
    code: 'NoMatchingPlatform',
    message: `no match for platform in manifest: ${os}/${architecture} is needed, ${there}`,
  });
};

export const runsOnAci = (platform: { readonly os: string; readonly architecture: string }): boolean =>
  platform.os === os && platform.architecture === architecture;

/**
 * The manifest for linux/amd64: without a variant where there is one (`v2` and later need more than any x86-64 has),
 * else the first. Attestations are as `unknown/unknown` in an index and are no images.
 */
export function chooseManifest(entries: readonly IndexEntry[]): Result<IndexEntry> {
  const fitting = entries.filter(({ platform }) => platform !== undefined && runsOnAci(platform));
  const chosen = fitting.find(({ platform }) => (platform?.variant ?? '') === '') ?? fitting[0];
  if (chosen !== undefined) return ok(chosen);
  return noMatchingPlatform(
    entries.flatMap(({ platform }) =>
      platform === undefined || platform.os === 'unknown' ? [] : `${platform.os}/${platform.architecture}`,
    ),
  );
}
