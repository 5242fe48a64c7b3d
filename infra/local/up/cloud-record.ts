/** `DIR/cloud.json`: what other commands and tests need to know of a running cloud. It is there while the cloud runs. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const recordSchema = z.object({
  kubeconfig: z.string(),
  /** Where no kubectl came with the cluster (`embedded`), its name alone. */
  kubectl: z.string(),
  cluster: z.enum(['real', 'embedded', 'given']),
  /** `process`: there is nothing of it in the cluster. */
  relay: z.enum(['process', 'chart']),
  /** Whether `attach` registered the node; else it is in the app's setting CLUSTERS. */
  isAttached: z.boolean(),
  /** Of the relay's token for the app. */
  audience: z.string(),
  /** Where the chart is installed: the Helm that did it, and the authority of the app's address. */
  helm: z.string().optional(),
  caFile: z.string().optional(),
  nodes: z.array(z.string()),
  hostUrl: z.string(),
  hostAdminUrl: z.string().optional(),
  emulatorAdminUrl: z.string().optional(),
  pids: z.record(z.string(), z.number()),
});

export type CloudRecord = z.infer<typeof recordSchema>;

const recordFile = (dir: string): string => join(dir, 'cloud.json');

export const writeCloudRecord = (dir: string, record: CloudRecord): void =>
  writeFileSync(recordFile(dir), `${JSON.stringify(record, undefined, 2)}\n`);

export const removeCloudRecord = (dir: string): void => rmSync(recordFile(dir), { force: true });

/** Of the cloud that runs in `dir`; an error when none does. */
export function readCloudRecord(dir: string): CloudRecord {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(recordFile(dir), 'utf8')));
  } catch {
    throw new Error(`no cloud runs in ${dir}: start one with npm start, or name its folder with --dir`);
  }
}
