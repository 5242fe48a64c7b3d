/** The app's settings in the shared cloud, changed as an operator changes them: the app is restarted. */
import * as z from 'zod';
import { readSettings } from '../../../infra/local/up/command-line.ts';
import { writeSettings } from '../../../infra/local/up/host.ts';
import { dir, record, until } from './cloud.ts';

export const settings = (): Record<string, string> => readSettings(dir);

const workerSchema = z.array(z.looseObject({ pid: z.number().optional(), state: z.string() }));

const workers = async () => workerSchema.parse(await (await fetch(`${record.hostAdminUrl ?? ''}/workers`)).json());

/** Resolves when nobody works with the former settings any more. `undefined` takes a setting away. */
export async function changeSettings(changes: Readonly<Record<string, string | undefined>>): Promise<void> {
  const next = Object.entries({ ...settings(), ...changes }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const former = new Set((await workers()).map(({ pid }) => pid));
  writeSettings(dir, Object.fromEntries(next));
  await until(
    'the app works with the changed settings',
    workers,
    (now) => now.length > 0 && now.every(({ pid, state }) => state === 'ready' && !former.has(pid)),
    120_000,
  );
}
