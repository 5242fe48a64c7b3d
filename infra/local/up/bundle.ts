import { join } from 'node:path';
import { build } from 'rolldown';
import bundles from '../../../rolldown.config.ts';
import { repository } from './host.ts';

/** Bundles the app and the relay into `dist`, as they are deployed. */
export async function bundle(): Promise<void> {
  for (const { output, ...input } of bundles) {
    await build({
      ...input,
      cwd: repository,
      output: { ...output, dir: join(repository, output.dir) },
      logLevel: 'warn',
    });
  }
}
