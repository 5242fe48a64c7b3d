/** A registry of images as a process of its own: Debian's `docker-registry`, the reference implementation of the distribution API. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from '../aci/runtime/engine/backend.ts';
import { startChild } from '../child.ts';
import type { Child } from '../child.ts';
import { buildLocalImages } from './build.ts';
import { pushImage } from './push.ts';

const program = 'docker-registry';

export const findRegistry = (): string | undefined => onPath(program);

export interface LocalRegistry {
  /** Its value is its origin, `http://127.0.0.1:PORT`. */
  readonly child: Child<string>;
  /** Such as `web:1`. */
  readonly images: readonly string[];
}

/** Starts one on loopback, its images in memory, and fills it with the catalogue. On a failure it is stopped. */
export async function startLocalRegistry(dir: string, command: string): Promise<LocalRegistry> {
  const folder = join(dir, 'registry');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const built = buildLocalImages(folder);
  const [child] = await Promise.all([startProcess(dir, { command, folder }), built.catch(() => undefined)]);
  try {
    const images = await built;
    for (const { image, stored } of images) await pushImage({ origin: child.value, ...image }, stored);
    return { child, images: images.map(({ image }) => `${image.repository}:${image.tag}`) };
  } catch (error) {
    await child.stop(0);
    throw error;
  }
}

function startProcess(dir: string, { command, folder }: { command: string; folder: string }): Promise<Child<string>> {
  const config = join(folder, 'config.yml');
  // At `info` it says where it listens.
  const log = { level: 'info', accesslog: { disabled: true } };
  const settings = { version: 0.1, log, storage: { inmemory: {} }, http: { addr: '127.0.0.1:0' } };
  // YAML is a superset of JSON.
  writeFileSync(config, JSON.stringify(settings));
  return startChild({
    name: 'registry',
    command,
    args: ['serve', config],
    // It takes each variable REGISTRY_… for a setting.
    env: { PATH: process.env['PATH'] },
    logFile: join(dir, 'logs', 'registry.log'),
    pidDir: join(dir, 'run'),
    ready: (line) => {
      const address = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      return address === undefined ? undefined : `http://${address}`;
    },
    readyTimeoutMs: 30_000,
  });
}
