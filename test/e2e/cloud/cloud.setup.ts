import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { createProgress } from '../../../infra/cli/progress.ts';
import { startCloud } from '../../../infra/local/up/cloud.ts';
import { listenForOutages } from './outages.ts';
import { parseUpOptions } from '../../../infra/local/up/options.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the one laptop cloud that all end-to-end files share; `cloud.json` in it says where its parts are. */
    readonly cloudDir: string;
    /** Takes `POST /relay/kill`, `/relay/start`, `/api-server/restart`: only the process that started them can. */
    readonly outagesUrl: string;
  }
}

/**
 * Starts the whole cloud once: real Kubernetes, real Podman, real Azurite, the packaged app in its processes. With
 * CLOUD_RELAY=chart the relay is the chart's, in containers; else a process.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const relay = process.env['CLOUD_RELAY'] ?? 'process';
  const dir = await mkdtemp(join(tmpdir(), 'serverless-kubelet-'));
  const cloud = await startCloud(
    parseUpOptions(['--dir', dir, '--creates-per-hour', '6000', '--relay', relay], process.env),
    createProgress(),
  );
  const outages = await listenForOutages(cloud);
  project.provide('cloudDir', dir);
  project.provide('outagesUrl', outages.url);
  return async () => {
    outages.close();
    await cloud.stop();
    if (process.env['KEEP_CLOUD'] === undefined) await rm(dir, { recursive: true, force: true });
    else console.log(`logs are kept in ${dir}`);
  };
}
