/** `npm run status`, `npm run doctor`: the command line over a cloud that `npm start` runs, with that cloud's own identity. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { parseJson } from '../../shared/wire/json-text.ts';
import { repository, settingsFile } from './up/host.ts';
import { defaultDir } from './up/options.ts';

const recordSchema = z.object({
  kubeconfig: z.string(),
  relay: z.enum(['process', 'chart']),
  emulatorAdminUrl: z.string().optional(),
});
const settingsSchema = z.object({ Values: z.record(z.string(), z.string()) });

/** The cloud's folder, and what is left for the command itself. */
export function splitDir(args: readonly string[]): { readonly dir: string; readonly rest: readonly string[] } {
  const at = args.findIndex((arg) => arg === '--dir' || arg.startsWith('--dir='));
  if (at === -1) return { dir: defaultDir, rest: args };
  const arg = args[at] ?? '';
  const isInline = arg.startsWith('--dir=');
  const dir = isInline ? arg.slice('--dir='.length) : (args[at + 1] ?? '');
  if (dir === '') throw new Error('--dir wants a folder');
  return { dir, rest: [...args.slice(0, at), ...args.slice(at + (isInline ? 1 : 2))] };
}

/**
 * The environment of a command over the cloud: with the emulator its identity endpoint, and none of the person's own
 * Azure; else the person's.
 */
export function environmentOf(
  own: NodeJS.ProcessEnv,
  values: Readonly<Record<string, string>>,
  hasEmulator: boolean,
): NodeJS.ProcessEnv {
  if (!hasEmulator) return own;
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = values;
  const others = Object.entries(own).filter(([name]) => !/^(AZURE_|IDENTITY_|MSI_)/.test(name));
  return { ...Object.fromEntries(others), IDENTITY_ENDPOINT, IDENTITY_HEADER };
}

async function main([command = '', ...args]: readonly string[]): Promise<number> {
  const { dir: named, rest } = splitDir(args);
  const dir = resolve(process.cwd(), named);
  const record = recordSchema.safeParse(readJson(join(dir, 'cloud.json')));
  const settings = settingsSchema.safeParse(readJson(settingsFile(dir)));
  const isHelp = rest.includes('--help') || rest.includes('-h');
  if (!isHelp && (!record.success || !settings.success))
    throw new Error(`no cloud runs in ${dir}: start one with npm start, or name its folder with --dir`);
  const places = record.success
    ? [
        '--settings',
        settingsFile(dir),
        '--kubeconfig',
        record.data.kubeconfig,
        ...relayArgs(command, record.data.relay),
      ]
    : [];
  const child = spawn(process.execPath, [join(repository, 'infra/cli/main.ts'), command, ...places, ...rest], {
    stdio: 'inherit',
    env: environmentOf(process.env, settings.data?.Values ?? {}, record.data?.emulatorAdminUrl !== undefined),
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

/** A relay that is a process of this machine has no objects in the cluster. */
const relayArgs = (command: string, relay: 'process' | 'chart'): readonly string[] =>
  command === 'doctor' && relay === 'process' ? ['--relay', 'outside'] : [];

function readJson(file: string): unknown {
  try {
    return parseJson(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
