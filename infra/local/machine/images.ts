import { join } from 'node:path';
import { runCommand } from '../aci/runtime/engine/command.ts';
import { openImageStore } from '../aci/runtime/engine/backend.ts';
import { imageFolder, preparePodman } from '../aci/runtime/engine/podman-layout.ts';
import { pauseImage } from './configuration.ts';

const busybox = 'docker.io/library/busybox:1.36';

/** Writes images of Podman's store, and the one that holds a pod's namespaces, as one file that containerd reads. */
export async function saveImages(images: readonly string[], folder: string): Promise<string> {
  const store = await openImageStore('podman');
  if ((await store.find(pauseImage)) === undefined)
    await store.derive(pauseImage, busybox, ['CMD ["/bin/sleep", "2147483647"]']);
  const file = join(folder, 'images.tar');
  const layout = await preparePodman(imageFolder());
  const args = ['save', '--quiet', '--multi-image-archive', '--format', 'docker-archive', '--output', file];
  const saved = await runCommand('podman', [...layout.globalArgs, ...args, pauseImage, ...images], {
    environment: layout.environment,
  });
  if (saved.exitCode !== 0) throw new Error(`podman save: ${saved.stderr.trim()}`);
  return file;
}
