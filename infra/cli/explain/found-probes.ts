import type { ProbeRecord } from '../../../shared/wire/probe-record.ts';
import type { CliContext } from '../context.ts';
import { faultClause } from '../inspect/fault-reason.ts';

/** What probes of the app's region have found; what can't be read changes nothing, as in the app, and is said. */
export async function foundProbes(context: CliContext): Promise<readonly ProbeRecord[]> {
  const [settings, records] = [await context.settings(), await context.probeRecords()];
  const read = await records?.get(context.signal);
  if (read?.ok === false)
    context.out.warn(`what probes have found could not be read, and is left out: ${faultClause(read.fault)}`);
  return read?.ok === true ? read.value.probes.filter(({ region }) => region === settings.AZURE_LOCATION) : [];
}
