/** What the parameter files of infra/azure make, as the compiler evaluated it and `npm run check:bicep` holds it. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as z from 'zod';

export const root = join(import.meta.dirname, '../../../infra/azure');

const resource = z.looseObject({
  id: z.string(),
  type: z.string(),
  name: z.string(),
  location: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  identity: z.looseObject({ type: z.string(), userAssignedIdentities: z.record(z.string(), z.unknown()) }).optional(),
  properties: z.record(z.string(), z.unknown()).default({}),
});
const schema = z.object({ predictedResources: z.array(resource), diagnostics: z.array(z.unknown()) });

export type Resource = z.infer<typeof resource>;

export interface Snapshot {
  readonly name: string;
  readonly text: string;
  readonly resources: readonly Resource[];
  /** Of that type. */
  of(type: string): readonly Resource[];
}

export const snapshots: readonly Snapshot[] = globSync('*.snapshot.json', { cwd: root })
  .sort()
  .map((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const { predictedResources: resources } = schema.parse(JSON.parse(text));
    return {
      name: basename(file, '.snapshot.json'),
      text,
      resources,
      of: (type) => resources.filter((one) => one.type === type),
    };
  });

/** The one of `NAME.bicepparam`. */
export function snapshotOf(name: string): Snapshot {
  const found = snapshots.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no snapshot of ${name}.bicepparam`);
  return found;
}
