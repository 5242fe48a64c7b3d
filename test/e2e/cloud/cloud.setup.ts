import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { createProgress } from '../../../infra/local/progress.ts';
import { startCloud } from '../../../infra/local/up/cloud.ts';
import { parseUpOptions } from '../../../infra/local/up/options.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the one laptop cloud that all end-to-end files share; `cloud.json` in it says where its parts are. */
    readonly cloudDir: string;
  }
}

/** Starts the whole cloud once: real Kubernetes, real Podman, real Azurite, the bundled app in its processes. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = await mkdtemp(join(tmpdir(), 'serverless-kubelet-'));
  const cloud = await startCloud(parseUpOptions(['--dir', dir], process.env), createProgress());
  project.provide('cloudDir', dir);
  return async () => {
    await cloud.stop();
    if (process.env['KEEP_CLOUD'] === undefined) await rm(dir, { recursive: true, force: true });
    else console.log(`logs are kept in ${dir}`);
  };
}
