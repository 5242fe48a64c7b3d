/** The command line over the cloud of a folder, as a person there would call it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { repository, settingsFile } from './host.ts';
import { defined } from '../../../shared/core/defined.ts';

const settingsSchema = z.object({ Values: z.record(z.string(), z.string()) });

/** The app's settings as they are. Throws where there are none. */
export const readSettings = (dir: string): Readonly<Record<string, string>> =>
  settingsSchema.parse(JSON.parse(readFileSync(settingsFile(dir), 'utf8'))).Values;

/** A cloud, and what its commands are run with. */
export interface CommandPlace {
  readonly dir: string;
  readonly kubeconfig: string;
  readonly kubectl: string;
  /** Where the chart is installed, too. */
  readonly helm?: string | undefined;
  /** An authority besides the system's: that of the app's address. */
  readonly caFile?: string | undefined;
}

/**
 * The environment of a command over the cloud: where the settings name an identity endpoint, that, and none of the person's
 * own Azure; else the person's.
 */
export function identityEnvironment(
  own: NodeJS.ProcessEnv,
  values: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = values;
  if (IDENTITY_ENDPOINT === undefined) return own;
  const others = Object.entries(own).filter(([name]) => !/^(AZURE_|IDENTITY_|MSI_)/.test(name));
  return { ...Object.fromEntries(others), IDENTITY_ENDPOINT, IDENTITY_HEADER };
}

const program = join(repository, 'infra/cli/main.ts');

const commandLine = (
  { dir, kubeconfig }: Pick<CommandPlace, 'dir' | 'kubeconfig'>,
  [command = '', ...args]: readonly string[],
): readonly string[] => [program, command, '--settings', settingsFile(dir), '--kubeconfig', kubeconfig, ...args];

/** Tools and identity of the cloud; nothing of the person's own Helm. */
function commandEnvironment(place: CommandPlace, own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const helmHome = join(place.dir, 'helm');
  return {
    ...identityEnvironment(own, readSettings(place.dir)),
    KUBECTL: place.kubectl,
    KUBERC: 'off',
    ...(place.helm === undefined
      ? {}
      : {
          HELM: place.helm,
          HELM_CACHE_HOME: join(helmHome, 'cache'),
          HELM_CONFIG_HOME: join(helmHome, 'config'),
          HELM_DATA_HOME: join(helmHome, 'data'),
        }),
    ...defined({ NODE_EXTRA_CA_CERTS: place.caFile }),
  };
}

/** Runs a command to its end. `report` hears each line of its progress; what it printed is the answer. Rejects with what it said when it failed. */
export async function runCommand(
  place: CommandPlace,
  args: readonly string[],
  report: (line: string) => void,
): Promise<string> {
  const child = spawn(process.execPath, commandLine(place, args), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...commandEnvironment(place, process.env), NO_COLOR: '1' },
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    report(line);
  });
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code === 0) return stdout;
  throw new Error(`${args[0] ?? ''} failed:\n${[...said, stdout.trim()].filter((line) => line !== '').join('\n')}`);
}

/** Runs a command in front of the person; answers its exit code. */
export const showCommand = (place: CommandPlace, args: readonly string[]): Promise<number> =>
  show(commandLine(place, args), commandEnvironment(place, process.env));

/** Its help, for which no cloud needs to run. */
export const showHelp = (command: string): Promise<number> => show([program, command, '--help'], process.env);

async function show(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(process.execPath, args, { stdio: 'inherit', env });
  const hand = (signal: NodeJS.Signals): void => void child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, hand);
  const [code] = await once(child, 'exit');
  for (const signal of signals) process.off(signal, hand);
  return typeof code === 'number' ? code : 1;
}
