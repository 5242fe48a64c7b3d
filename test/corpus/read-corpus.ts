import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { readDocuments } from '../../infra/cli/explain/documents.ts';
import { findPods } from '../../infra/cli/explain/find-pods.ts';
import type { FoundPod } from '../../infra/cli/explain/find-pods.ts';

export const folder = import.meta.dirname;

/** One workload, written anew from the facts of a public one. */
export interface CorpusPod extends FoundPod {
  /** `charts/redis-master`. */
  readonly key: string;
  readonly group: 'charts' | 'jobs';
  /** The first line: whose facts they are. */
  readonly facts: string;
}

/** All pods, by name. */
export const readCorpus = (): readonly CorpusPod[] =>
  (['charts', 'jobs'] as const).flatMap((group) =>
    readdirSync(join(folder, group))
      .toSorted()
      .map((file) => readPod(group, file)),
  );

function readPod(group: CorpusPod['group'], file: string): CorpusPod {
  const text = readFileSync(join(folder, group, file), 'utf8');
  const { documents, faults } = readDocuments(file, text);
  const found = findPods(documents, 'default');
  const [pod] = found.pods;
  if (pod === undefined || found.pods.length > 1 || faults.length > 0 || found.faults.length > 0)
    throw new Error(`${group}/${file} is not one workload: ${JSON.stringify([...faults, ...found.faults])}`);
  const facts = /^# Facts: (.+)$/m.exec(text)?.[1] ?? '';
  return { ...pod, key: `${group}/${file.replace('.yaml', '')}`, group, facts };
}

const image = z.strictObject({
  entrypoint: z.array(z.string()),
  cmd: z.array(z.string()),
  user: z.string(),
  workingDir: z.string(),
  /** Known from a Dockerfile of another version, or by hearsay. */
  unsure: z.literal(true).exactOptional(),
});
export type CorpusImage = z.infer<typeof image>;

/** What the configs of the true images say, as far as it is public. */
export const readImages = (): Readonly<Record<string, CorpusImage>> =>
  z.record(z.string(), image).parse(JSON.parse(readFileSync(join(folder, 'images.json'), 'utf8')));
