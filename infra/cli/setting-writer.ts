import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { azAppArgs } from './app-settings.ts';
import type { AppSource } from './app-settings.ts';
import type { AzureCli } from './azure-cli.ts';

const appsettings = ['functionapp', 'config', 'appsettings'];
const fileSchema = z.looseObject({ Values: z.record(z.string(), z.string()) });

/** Sets one of the app's settings, or takes it away (`value` undefined); the app restarts. Idempotent. */
export async function writeSetting(
  source: AppSource,
  { name, value }: { readonly name: string; readonly value: string | undefined },
  az: AzureCli,
): Promise<void> {
  if (source.kind === 'file') return writeFileSetting(source.file, name, value);
  if (value !== undefined) return writeSettings(source, { [name]: value }, az);
  await az.json([...appsettings, 'delete', ...azAppArgs(source), '--setting-names', name]);
}

/**
 * Sets several settings of an app on Azure; it restarts once. The values go through a file that only this user can read,
 * never through a command line. Idempotent.
 */
export async function writeSettings(
  source: Extract<AppSource, { kind: 'azure' }>,
  values: Readonly<Record<string, string>>,
  az: AzureCli,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'serverless-kubelet-'));
  try {
    const file = join(folder, 'setting.json');
    // No `slotSetting`: for its sake az would ask for names of slot settings, and Flex Consumption has no slots.
    writeFileSync(file, JSON.stringify(values), { mode: 0o600 });
    await az.json([...appsettings, 'set', ...azAppArgs(source), '--settings', `@${file}`]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sets several settings of an app, wherever they are; one on Azure restarts once. Idempotent. */
export async function changeSettings(
  source: AppSource,
  values: Readonly<Record<string, string>>,
  az: AzureCli,
): Promise<void> {
  if (source.kind === 'azure') return writeSettings(source, values, az);
  for (const [name, value] of Object.entries(values)) writeFileSetting(source.file, name, value);
}

/** Everything else in the file stays; it is replaced at once, so that nobody reads half of it. */
function writeFileSetting(file: string, name: string, value: string | undefined): void {
  const content = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const { [name]: _, ...others } = content.Values;
  const Values = value === undefined ? others : { ...others, [name]: value };
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify({ ...content, Values }, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}
