import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { startChild } from '../child.ts';
import type { Child } from '../child.ts';

const readySchema = z.object({ ready: z.literal(true), url: z.string(), adminUrl: z.string() });
export type HostReady = z.infer<typeof readySchema>;

export const repository = join(import.meta.dirname, '..', '..', '..');

export const settingsFile = (dir: string): string => join(dir, 'local.settings.json');

/** Writes the settings file; a running host sees the change and restarts the app, as App Service does. */
export function writeSettings(dir: string, values: Readonly<Record<string, string>>): void {
  writeFileSync(settingsFile(dir), `${JSON.stringify({ IsEncrypted: false, Values: values }, undefined, 2)}\n`, {
    mode: 0o600,
  });
}

/** The Functions host with the package that is unpacked in `appFolder`: one process for each timer, two for HTTP. */
export async function startHost(dir: string, appFolder: string): Promise<Child<HostReady>> {
  return startChild({
    name: 'functions',
    command: process.execPath,
    args: [
      join(repository, 'infra/local/host/main.ts'),
      '--app',
      appFolder,
      '--port',
      '0',
      '--admin-port',
      '0',
      '--settings',
      settingsFile(dir),
      '--logs',
      join(dir, 'logs', 'functions'),
    ],
    logFile: join(dir, 'logs', 'functions.log'),
    pidDir: join(dir, 'run'),
    stdin: 'pipe',
    stopSignal: 'SIGINT',
    ready: (line) => (line.startsWith('{"ready"') ? readySchema.parse(JSON.parse(line)) : undefined),
    readyTimeoutMs: 60_000,
  });
}
