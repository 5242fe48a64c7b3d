/** `npm run status`, `npm run doctor`: the command line over a cloud that `npm start` runs, with that cloud's own identity. */
import { resolve } from 'node:path';
import { readCloudRecord } from './up/cloud-record.ts';
import { showCommand, showHelp } from './up/command-line.ts';
import { defaultDir } from './up/options.ts';

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

async function main([command = '', ...args]: readonly string[]): Promise<number> {
  const { dir: named, rest } = splitDir(args);
  if (rest.includes('--help') || rest.includes('-h')) return showHelp(command);
  const dir = resolve(process.cwd(), named);
  const record = readCloudRecord(dir);
  return showCommand({ ...record, dir }, [command, ...relayArgs(command, record.relay), ...rest]);
}

/** A relay that is a process of this machine has no objects in the cluster. */
const relayArgs = (command: string, relay: 'process' | 'chart'): readonly string[] =>
  command === 'doctor' && relay === 'process' ? ['--relay', 'outside'] : [];

if (import.meta.main)
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
