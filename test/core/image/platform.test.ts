import { describe, expect, it } from 'vitest';
import { chooseManifest } from '../../../shared/core/image/platform.ts';
import type { IndexEntry } from '../../../shared/core/image/platform.ts';

const entry = (digest: string, platform?: string): IndexEntry => {
  const [os = '', architecture = '', variant] = platform?.split('/') ?? [];
  return {
    digest,
    size: 1,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    ...(platform !== undefined && { platform: { os, architecture, ...(variant !== undefined && { variant }) } }),
  };
};

describe('of an index', () => {
  it.each<[string, IndexEntry[], string]>([
    ['linux/amd64 is taken', [entry('a', 'linux/arm64'), entry('b', 'linux/amd64')], 'b'],
    ['Windows is not', [entry('a', 'windows/amd64'), entry('b', 'linux/amd64')], 'b'],
    ['an attestation is not', [entry('a', 'unknown/unknown'), entry('b', 'linux/amd64')], 'b'],
    ['a variant is taken after one without', [entry('a', 'linux/amd64/v3'), entry('b', 'linux/amd64')], 'b'],
    ['a variant is better than nothing', [entry('a', 'linux/amd64/v2'), entry('b', 'linux/amd64/v3')], 'a'],
    ['the first is taken', [entry('a', 'linux/amd64'), entry('b', 'linux/amd64')], 'a'],
  ])('%s', (_, entries, digest) => {
    expect(chooseManifest(entries)).toMatchObject({ ok: true, value: { digest } });
  });

  it.each<[string, IndexEntry[], string]>([
    [
      'without linux/amd64 it is said what there is',
      [entry('a', 'linux/arm64/v8'), entry('b', 'windows/amd64'), entry('c', 'unknown/unknown')],
      'there is linux/arm64, windows/amd64',
    ],
    ['with nothing in it nothing is', [], 'it names no platform'],
    ['whose manifests have no platform, nothing is', [entry('a')], 'it names no platform'],
  ])('%s', (_, entries, words) => {
    expect(chooseManifest(entries)).toMatchObject({
      ok: false,
      fault: { kind: 'rejected', code: 'NoMatchingPlatform', message: expect.stringMatching(new RegExp(`${words}$`)) },
    });
  });
});
