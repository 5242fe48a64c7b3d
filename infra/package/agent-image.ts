import { gzipSync } from 'fflate';
import { descriptor, digestOf, ociTypes, stored } from '../../shared/core/image/stored-image.ts';
import type { StoredImage } from '../../shared/core/image/stored-image.ts';
import { packTar } from './tar.ts';

/** Everybody may run it, nobody may change it. */
const mode = 0o555;
/** The program in the image: an init container runs `/sk install`. */
export const programPath = '/sk';

/**
 * The agent as an image `FROM scratch`: one layer with one file. The same program and version give the same bytes, wherever
 * and whenever they are packed: the compressor is the package's own code, and nothing of the moment goes in.
 */
export function agentImage(binary: Uint8Array, version: string): StoredImage {
  const tar = packTar([{ name: programPath.slice(1), mode, bytes: binary }]);
  const layer = stored(ociTypes.layer, compressed(tar));
  const config = stored(ociTypes.config, {
    architecture: 'amd64',
    os: 'linux',
    config: {
      Entrypoint: [programPath],
      WorkingDir: '/',
      Labels: {
        'org.opencontainers.image.title': 'serverless-kubelet agent',
        'org.opencontainers.image.version': version,
      },
    },
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
  });
  const manifest = stored(ociTypes.manifest, {
    schemaVersion: 2,
    mediaType: ociTypes.manifest,
    config: descriptor(config),
    layers: [descriptor(layer)],
  });
  return { ...manifest, blobs: [config, layer], manifests: [] };
}

/** gzip without a name and a time. */
export const compressed = (bytes: Uint8Array): Uint8Array => gzipSync(bytes, { level: 9, mtime: 0 });
