import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeRootfs } from '../aci/images/rootfs.ts';
import { runCommand } from '../aci/runtime/engine/command.ts';
import { localImages } from './catalog.ts';
import type { LocalImage } from './catalog.ts';
import { descriptor, digestOf, ociTypes, stored } from '../../../shared/core/image/stored-image.ts';
import type { Stored, StoredImage } from '../../../shared/core/image/stored-image.ts';

interface Layer {
  readonly blob: Stored;
  /** Of the tar before it was packed (`rootfs.diff_ids`). */
  readonly diffId: string;
}

/** An image that can be pushed, and its name. */
export interface BuiltImage {
  readonly image: LocalImage;
  readonly stored: StoredImage;
}

/**
 * Makes the images of the catalogue from this machine's busybox, without an engine; the same bytes each time. `folder` is
 * where it works. Throws `MissingTool` where there is no busybox that could be an image.
 */
export async function buildLocalImages(folder: string): Promise<readonly BuiltImage[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const work = await mkdtemp(join(folder, 'making-'));
  try {
    const base = await packLayer(join(work, 'base'), (root) =>
      makeRootfs('busybox', { folder: root, log: () => undefined }),
    );
    return await Promise.all(
      localImages.map(async (image) => {
        const own = await packLayer(join(work, image.repository), (root) => writeFiles(root, image.files));
        return { image, stored: imageOf(image, [base, own]) };
      }),
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function writeFiles(root: string, files: LocalImage['files']): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name);
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(path, text);
    await chmod(path, 0o755);
  }
}

/** Nothing of the moment and of the machine goes into the bytes: an image keeps its digest from start to start. */
const reproducible = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];

async function packLayer(root: string, fill: (root: string) => Promise<void>): Promise<Layer> {
  await mkdir(root, { mode: 0o755 });
  await fill(root);
  const packed = await runCommand('tar', ['-C', root, ...reproducible, '-cf', `${root}.tar`, '.']);
  if (packed.exitCode !== 0) throw new Error(`tar failed: ${packed.stderr}`);
  const tar = await readFile(`${root}.tar`);
  return { blob: stored(ociTypes.layer, gzipSync(tar)), diffId: digestOf(tar) };
}

function imageOf({ config }: LocalImage, layers: readonly Layer[]): StoredImage {
  const blob = stored(ociTypes.config, {
    os: 'linux',
    architecture: 'amd64',
    config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const blobs = layers.map((layer) => layer.blob);
  const manifest = stored(ociTypes.manifest, {
    schemaVersion: 2,
    mediaType: ociTypes.manifest,
    config: descriptor(blob),
    layers: blobs.map(descriptor),
  });
  return { ...manifest, blobs: [blob, ...blobs], manifests: [] };
}
