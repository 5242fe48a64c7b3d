import * as z from 'zod';
import { isAssumptionId } from '../core/agent/assumptions.ts';
import type { Finding } from '../core/agent/assumptions.ts';
import { isSamePlace } from '../core/agent/findings/probed-place.ts';
import type { ProbePlace } from '../core/agent/findings/probed-place.ts';
import { parseJson } from './json-text.ts';

/** What one probe found. */
export interface ProbeRecord extends ProbePlace {
  /** RFC 3339. */
  readonly at: string;
  readonly findings: readonly Finding[];
}

const outcomes = ['holds', 'fails', 'unmeasured'] as const;
const mostDetail = 1_000;
/** Of a later version may come assumptions and outcomes that this one does not know: they are passed over. */
const finding = z.object({
  id: z.string(),
  outcome: z.string(),
  detail: z
    .string()
    .default('')
    .transform((text) => text.slice(0, mostDetail)),
});
const mostProbes = 200;
const record = z.object({
  region: z.string().max(64),
  subnet: z.string().max(1_000).nullable(),
  sku: z.string().max(64),
  at: z.string().max(64),
  findings: z.array(finding).max(200),
});
const document = z.object({ schemaVersion: z.literal(1), probes: z.array(record).max(mostProbes) });

/** Far more than as many probes find. */
const mostCharacters = 4 * 1024 * 1024;

/** The document that keeps what was measured; undefined: it is none. */
export function parseProbeRecords(text: string): readonly ProbeRecord[] | undefined {
  if (text.length > mostCharacters) return undefined;
  const parsed = document.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  return parsed.data.probes.map((one) => ({
    ...one,
    findings: one.findings.flatMap(({ id, outcome: said, detail }): readonly Finding[] => {
      const outcome = outcomes.find((known) => known === said);
      return isAssumptionId(id) && outcome !== undefined ? [{ id, outcome, detail }] : [];
    }),
  }));
}

/** The text that is read as these. */
export const formatProbeRecords = (probes: readonly ProbeRecord[]): string =>
  `${JSON.stringify({ schemaVersion: 1, probes }, undefined, 2)}\n`;

/** The same with a newer one in place of that of the same place; of very many places the latest ones. */
export const withProbe = (probes: readonly ProbeRecord[], newer: ProbeRecord): readonly ProbeRecord[] =>
  [...probes.filter((one) => !isSamePlace(one, newer)), newer].slice(-mostProbes);
