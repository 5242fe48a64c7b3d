import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withFileLock } from '../../package/file-lock.ts';
import { baseImage, catalog, recipeKey, recipeLabel } from './images/catalog.ts';
import type { BaseName, CatalogImage } from './images/catalog.ts';
import { canMake, makeRootfs, MissingTool } from './images/rootfs.ts';
import { findEngine, openImageStore } from './runtime/engine/backend.ts';
import { runCommand } from './runtime/engine/command.ts';
import type { ImageStore } from './runtime/engine/image-store.ts';
import { imageFolder } from './runtime/engine/podman-layout.ts';
import type { EngineKind } from './runtime/engine/requests.ts';
import { defined } from '../../../shared/core/defined.ts';

export interface EnsureImagesOptions {
  readonly log: (line: string) => void;
  /** Default: the engine that `findEngine` finds. */
  readonly engine?: EngineKind;
}

const probeMs = 5000;
const pullMs = 300_000;

/**
 * Sees to it that the images which examples and tests name are in the engine's store: each is pulled where the registry
 * can be reached, and made from Debian packages where not. Idempotent, and fast when nothing is missing; two processes
 * at once take turns. Throws with one sentence for each image that could not be had.
 */
export async function ensureImages(options: EnsureImagesOptions): Promise<void> {
  const engine = options.engine ?? (await findEngine());
  if (engine === undefined) throw new Error(needs);
  const store = await openImageStore(engine);
  if ((await missing(store)).length === 0) return;
  await mkdir(imageFolder(), { recursive: true, mode: 0o700 });
  const wait = () => options.log('another process is making the images: waiting');
  await withFileLock(join(imageFolder(), 'images.lock'), () => makeMissing(store, options.log), wait);
}

async function makeMissing(store: ImageStore, log: (line: string) => void): Promise<void> {
  const wanted = await missing(store);
  const online = wanted.length > 0 && (await registryAnswers());
  if (wanted.length > 0 && !online)
    log('the registry of docker.io does not answer: images are made from Debian packages');
  const failures: string[] = [];
  for (const entry of wanted) {
    const refusal = online ? await store.pull(entry.image, { credential: undefined, timeoutMs: pullMs }) : 'not tried';
    if (refusal === undefined) {
      log(`${entry.image}: pulled`);
      continue;
    }
    if (online) log(`${entry.image}: pull failed (${refusal})`);
    try {
      await makeImage(store, entry, log);
      log(`${entry.image}: made`);
    } catch (error) {
      if (!(error instanceof MissingTool)) throw error;
      failures.push(`${entry.image}: ${error.message}`);
    }
  }
  if (failures.length > 0) throw new Error(`${failures.join('\n')}\n${needs}`);
}

/** Images of a registry are taken as they are, made ones only by the present recipe. */
async function missing(store: ImageStore): Promise<CatalogImage[]> {
  const wanted = catalog.filter(({ base, isOptional }) => isOptional !== true || canMake(base));
  const found = await Promise.all(wanted.map(async (entry) => ({ entry, stored: await store.find(entry.image) })));
  return found
    .filter(
      ({ entry, stored }) =>
        (stored?.labels[recipeLabel] ?? recipeKey(entry.base)) !== recipeKey(entry.base) || stored === undefined,
    )
    .map(({ entry }) => entry);
}

async function registryAnswers(): Promise<boolean> {
  // Behind a proxy only the engine itself knows the way.
  if ((process.env['HTTPS_PROXY'] ?? process.env['https_proxy'] ?? '') !== '') return true;
  try {
    await fetch('https://registry-1.docker.io/v2/', { signal: AbortSignal.timeout(probeMs) });
    return true;
  } catch {
    return false;
  }
}

async function makeImage(store: ImageStore, entry: CatalogImage, log: (line: string) => void): Promise<void> {
  if ((await store.find(baseImage(entry.base))) === undefined) await makeBase(store, entry.base, log);
  await store.derive(entry.image, baseImage(entry.base), entry.changes);
}

async function makeBase(store: ImageStore, base: BaseName, log: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(imageFolder(), 'making-'));
  try {
    const root = join(folder, 'root');
    await mkdir(root, { mode: 0o755 });
    await makeRootfs(base, { folder: root, log });
    const tarFile = join(folder, 'root.tar');
    const packed = await runCommand('tar', ['-C', root, '--numeric-owner', '-cf', tarFile, '.']);
    if (packed.exitCode !== 0) throw new Error(`tar failed: ${packed.stderr}`);
    await store.importTar(baseImage(base), tarFile, [`LABEL ${recipeLabel}=${recipeKey(base)}`]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const needs = `Containers need Podman and root, or a running Docker daemon. Images without a registry need debootstrap too.
On Debian and Ubuntu, as root:
  apt-get install podman runc netavark aardvark-dns catatonit iptables busybox-static debootstrap`;

const help = `Usage: npm run images [-- --engine podman|docker]

Puts the images that the examples and tests name into the engine's store:
${catalog.map((entry) => `  ${entry.image}`).join('\n')}
Each is pulled where docker.io answers, and made from Debian packages where it does not. Images that are there
already are left alone. Podman's images lie in ${imageFolder()}.

${needs}`;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' }, engine: { type: 'string' } } });
  if (values.help === true) {
    console.log(help);
    return 0;
  }
  const { engine } = values;
  if (engine !== undefined && engine !== 'podman' && engine !== 'docker') {
    console.error(`--engine is podman or docker, not "${engine}"`);
    return 2;
  }
  const startedAt = performance.now();
  try {
    await ensureImages({ log: (line) => console.log(line), ...defined({ engine }) });
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  }
  console.log(`The images are ready (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  return 0;
}

if (import.meta.main) process.exitCode = await main();
