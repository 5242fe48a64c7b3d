import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openInstallationTable } from '../../../shared/adapters/tables/table-store.ts';
import { armLimits } from '../../../shared/wire/arm-settings.ts';
import { describeFault } from '../../../shared/core/fault.ts';
import { parseSettings } from '../../../shared/wire/settings.ts';
import { writeFirstRows } from '../../../shared/adapters/tables/first-rows.ts';

/** Whether the folder holds neither tables nor groups: what is started in it then has no past. Asked before anything is started. */
export const isFirstStart = (dir: string): boolean => !existsSync(join(dir, 'tables')) && !existsSync(join(dir, 'aci'));

/**
 * Lets the nodes of the settings start at once, as `attach` does. Where ARM itself came to be together with the tables,
 * in this very start, nothing can be under way. For a first start with the emulator alone, before the app runs.
 */
export async function startWithoutPast(values: Readonly<Record<string, string>>): Promise<void> {
  const parsed = parseSettings(values);
  if (!parsed.ok) throw new Error(`settings of our own: ${parsed.faults.map(({ name }) => name).join(', ')}`);
  const { settings } = parsed;
  const connectionString = settings.AzureWebJobsStorage ?? '';
  const written = await writeFirstRows(
    openInstallationTable({ connectionString }, { installation: settings.INSTALLATION }),
    {
      nodes: settings.CLUSTERS.flatMap(({ uid, nodes }) => nodes.map(({ name }) => ({ cluster: uid, node: name }))),
      limits: armLimits(settings),
    },
  );
  if (!written.ok) throw new Error(`the first rows: ${describeFault(written.fault)}`);
}
