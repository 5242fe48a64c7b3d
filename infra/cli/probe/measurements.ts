import * as z from 'zod';
import { parseJson } from '../../../shared/wire/json-text.ts';

/** What the containers measured, by the names that the script gives. */
export type Measurements = ReadonlyMap<string, string>;

const line = z.object({ name: z.string().max(60), value: z.string().max(400) });
const mark = 'sk-probe ';

/** Reads logs of the probe's containers; whatever else is in them is passed over. Of a name that comes twice the last counts. Pure. */
export function parseMeasurements(logs: readonly string[]): Measurements {
  const found = new Map<string, string>();
  for (const log of logs)
    for (const text of log.split('\n')) {
      const at = text.indexOf(mark);
      const parsed = at === -1 ? undefined : line.safeParse(parseJson(text.slice(at + mark.length)));
      if (parsed?.success === true) found.set(parsed.data.name, parsed.data.value.trim());
    }
  return found;
}

/** Whether a container has said all that it has to say. */
export const hasEnded = (log: string, phase: string): boolean =>
  log.includes(`${mark}{"name":"end","value":"${phase}"}`);
