import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { parseSettings } from '../../shared/wire/settings.ts';
import type { Settings } from '../../shared/wire/settings.ts';
import type { AzureCli } from './azure-cli.ts';
import type { ParsedOptions } from './options.ts';
import { wrongInput } from './stop.ts';
import { parseJson } from '../../shared/wire/json-text.ts';

/** Which app is meant, and where its settings are. */
export type AppSource =
  | {
      readonly kind: 'azure';
      readonly app: string;
      readonly resourceGroup: string;
      readonly subscription: string | undefined;
    }
  | { readonly kind: 'file'; readonly file: string };

/** The app's settings as they are, and as the app reads them. */
export interface AppSettings {
  readonly source: AppSource;
  readonly values: Readonly<Record<string, string>>;
  readonly settings: Settings;
}

/** `--app` with `--resource-group`, or `--settings`. */
export function appSource(options: ParsedOptions): AppSource {
  const app = options.text('app');
  const file = options.text('settings');
  if (app !== undefined && file !== undefined)
    throw wrongInput('--app and --settings both say where the settings are', 'give one of them');
  if (file !== undefined) return { kind: 'file', file };
  if (app === undefined)
    throw wrongInput('no app is named', 'add --app NAME --resource-group NAME, or --settings FILE');
  const resourceGroup = options.text('resource-group');
  if (resourceGroup === undefined) throw wrongInput('--app needs its resource group', 'add --resource-group NAME');
  return { kind: 'azure', app, resourceGroup, subscription: options.text('subscription') };
}

/** `--name … --resource-group … [--subscription …]` of an `az functionapp` command. */
export const azAppArgs = ({ app, resourceGroup, subscription }: Extract<AppSource, { kind: 'azure' }>): string[] => [
  '--name',
  app,
  '--resource-group',
  resourceGroup,
  ...(subscription === undefined ? [] : ['--subscription', subscription]),
];

const azureSettings = z.array(z.object({ name: z.string(), value: z.string().nullable() }));
const fileSettings = z.object({ Values: z.record(z.string(), z.string()) });

/** Reads and checks the settings: what the app itself would refuse is reported with the same words. Changes nothing. */
export async function readAppSettings(source: AppSource, az: AzureCli): Promise<AppSettings> {
  const values = source.kind === 'azure' ? await azureValues(source, az) : fileValues(source.file);
  const parsed = parseSettings(values);
  if (parsed.ok) return { source, values, settings: parsed.settings };
  const faults = parsed.faults.map(({ name, expected }) => `${name}: ${expected}`).join('; ');
  const where = source.kind === 'azure' ? `the settings of ${source.app}` : source.file;
  throw wrongInput(`${where}: ${faults}`, 'docs/settings.md has the shape of each');
}

async function azureValues(
  source: Extract<AppSource, { kind: 'azure' }>,
  az: AzureCli,
): Promise<Record<string, string>> {
  const listed = await az.json(['functionapp', 'config', 'appsettings', 'list', ...azAppArgs(source)]);
  if (listed === undefined)
    throw wrongInput(
      `there is no app ${source.app} in resource group ${source.resourceGroup}`,
      'check --app, --resource-group and --subscription',
    );
  const answer = azureSettings.safeParse(listed);
  if (!answer.success) throw wrongInput('az did not list app settings', 'update the Azure CLI: az upgrade');
  return Object.fromEntries(answer.data.map(({ name, value }) => [name, value ?? '']));
}

/** The `Values` of a file in the form of local.settings.json. */
export function fileValues(file: string): Record<string, string> {
  const text = readText(file);
  const parsed = fileSettings.safeParse(parseJson(text));
  if (parsed.success) return parsed.data.Values;
  throw wrongInput(`${file} is not in the form of local.settings.json`, 'it wants {"Values": {"NAME": "value", …}}');
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw wrongInput(`${file} can't be read`, 'check the path given with --settings');
  }
}
