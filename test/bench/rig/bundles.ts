import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'rolldown';
import bundles from '../../../rolldown.config.ts';

export interface Bundles {
  /** Entry of the function app. */
  readonly app: string;
  /** Entry of the relay. */
  readonly relay: string;
}

export const repository = join(import.meta.dirname, '..', '..', '..');

/** Bundles app and relay as they are deployed, beside the run and not into `dist`, which others may use. */
export async function bundleInto(dir: string): Promise<Bundles> {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}\n');
  for (const { output, ...input } of bundles) {
    const name = output.dir.replace(/^dist\//, '');
    await build({ ...input, cwd: repository, output: { ...output, dir: join(dir, name) }, logLevel: 'warn' });
  }
  return { app: join(dir, 'app', 'index.js'), relay: join(dir, 'relay', 'main.js') };
}
