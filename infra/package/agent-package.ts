import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { agentTag } from '../../shared/core/agent/agent-reference.ts';
import { descriptor, ociTypes } from '../../shared/core/image/stored-image.ts';
import type { StoredImage } from '../../shared/core/image/stored-image.ts';
import { agentImage, compressed } from './agent-image.ts';

/** What it may weigh: every pod that needs it pulls it, and the app carries it. */
export const mostBytes = { program: 8_000_000, compressed: 3_500_000 } as const;

/** Files of `dist/agent`, by their paths in it. */
export type AgentFiles = ReadonlyMap<string, Uint8Array>;

/**
 * All that is delivered of the agent:
 *
 * - `agent.json`: version, hash of the program, digest and tag of the image (`shared/wire/agent-package.ts`);
 * - `sk`, the program, with `sk.sha256` as `sha256sum -c` reads it, and `sk.gz`;
 * - `image/`: the image as an OCI image layout, which any tool for images takes too.
 *
 * The same program and version give the same bytes. Throws where it weighs more than {@link mostBytes}.
 */
export function agentFiles(binary: Uint8Array, version: string): AgentFiles {
  refuseHeavy('the agent', binary.length, mostBytes.program);
  const packed = compressed(binary);
  const image = agentImage(binary, version);
  const layer = image.blobs.find(({ mediaType }) => mediaType === ociTypes.layer)?.bytes.length ?? 0;
  refuseHeavy('the agent, compressed,', Math.max(packed.length, layer), mostBytes.compressed);
  const sha256 = createHash('sha256').update(binary).digest('hex');
  const tag = agentTag(version, image.digest);
  const description = { schemaVersion: 1, version, sha256, bytes: binary.length, image: { digest: image.digest, tag } };
  return new Map([
    ['agent.json', text(description)],
    ['sk', binary],
    ['sk.sha256', Buffer.from(`${sha256}  sk\n`)],
    ['sk.gz', packed],
    ...layoutFiles(image, tag),
  ]);
}

function refuseHeavy(what: string, bytes: number, most: number): void {
  if (bytes > most) throw new Error(`${what} has ${bytes} bytes, and ${most} is the most`);
}

const text = (value: object): Buffer => Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);

/** OCI image specification, image layout. */
const layoutFiles = (image: StoredImage, tag: string): readonly (readonly [string, Uint8Array])[] => [
  ['image/oci-layout', text({ imageLayoutVersion: '1.0.0' })],
  [
    'image/index.json',
    text({
      schemaVersion: 2,
      mediaType: ociTypes.index,
      manifests: [
        {
          ...descriptor(image),
          platform: { architecture: 'amd64', os: 'linux' },
          annotations: { 'org.opencontainers.image.ref.name': tag },
        },
      ],
    }),
  ],
  ...[image, ...image.blobs].map(({ digest, bytes }) => [`image/blobs/${digest.replace(':', '/')}`, bytes] as const),
];

/** Of those files what the app gives to who downloads the agent from it. */
export const agentFilesOfApp = ['agent.json', 'sk.gz'] as const;

/** Writes files below a folder, which it makes; the program may be run. */
export function writeAgentFiles(folder: string, files: AgentFiles, names: Iterable<string> = files.keys()): void {
  for (const name of names) {
    const bytes = files.get(name);
    if (bytes === undefined) throw new Error(`the agent's package has no ${name}`);
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes, { mode: name === 'sk' ? 0o755 : 0o644 });
  }
}
