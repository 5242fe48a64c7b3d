import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onPath } from './backend.ts';
import { runCommand } from './command.ts';
import type { ImageStore } from './image-store.ts';

/** What holds a sandbox's namespaces: an image and, where the image itself is no such thing, a command. */
export interface Pause {
  readonly image: string;
  readonly command?: readonly string[];
}

const pauseImage = 'localhost/serverless-kubelet/pause:1';
const fallback: Pause = { image: 'docker.io/library/busybox:1.36', command: ['sleep', '2147483647'] };

/**
 * An image with one static program that does nothing, made on this machine from catatonit or the static busybox.
 * Where neither is installed it is busybox from the registry.
 */
export async function ensurePause(images: ImageStore): Promise<Pause> {
  if ((await images.find(pauseImage)) !== undefined) return { image: pauseImage };
  const program = await findProgram();
  if (program === undefined) {
    const known = (await images.find(fallback.image)) !== undefined;
    const failure = known
      ? undefined
      : await images.pull(fallback.image, { credential: undefined, timeoutMs: 120_000 });
    if (failure === undefined) return fallback;
    throw new Error(
      `the sandbox image needs Debian's catatonit or busybox-static, or ${fallback.image}, which could not be pulled: ${failure}`,
    );
  }
  const folder = await mkdtemp(join(tmpdir(), 'serverless-kubelet-'));
  try {
    await mkdir(join(folder, 'root'));
    await copyFile(program.path, join(folder, 'root', program.name));
    const tarFile = join(folder, 'root.tar');
    const packed = await runCommand('tar', ['-C', join(folder, 'root'), '--owner=0', '--group=0', '-cf', tarFile, '.']);
    if (packed.exitCode !== 0) throw new Error(`tar failed: ${packed.stderr}`);
    await images.importTar(pauseImage, tarFile, [
      `ENTRYPOINT ${JSON.stringify([`/${program.name}`, ...program.args])}`,
    ]);
    return { image: pauseImage };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface PauseProgram {
  readonly path: string;
  /** Busybox takes its applet from the name it is called by. */
  readonly name: string;
  readonly args: readonly string[];
}

async function findProgram(): Promise<PauseProgram | undefined> {
  const catatonit = onPath('catatonit');
  if (catatonit !== undefined && (await isStatic(catatonit)))
    return { path: catatonit, name: 'catatonit', args: ['-P'] };
  const busybox = onPath('busybox');
  if (busybox !== undefined && (await isStatic(busybox))) return { path: busybox, name: 'sleep', args: ['2147483647'] };
  return undefined;
}

/** `ldd` fails for a program without libraries; for others it names them. */
export async function isStatic(path: string): Promise<boolean> {
  return (await runCommand('ldd', [path])).exitCode !== 0;
}
