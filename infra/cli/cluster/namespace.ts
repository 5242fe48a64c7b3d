import * as z from 'zod';
import type { CliContext } from '../context.ts';
import { createObject, getObject } from './objects.ts';
import { wrongInput } from '../stop.ts';

/** Says that `attach` made the namespace, so that `detach` may delete it. */
export const madeByLabel = 'serverless-kubelet.io/attached-by';

const namespaceSchema = z.object({
  metadata: z.object({
    deletionTimestamp: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
});

/** The labels of a namespace; undefined where there is none. */
export async function readNamespace(
  context: CliContext,
  name: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  return (await readMetadata(context, name))?.labels;
}

async function readMetadata(
  context: CliContext,
  name: string,
): Promise<z.infer<typeof namespaceSchema>['metadata'] | undefined> {
  const answer = await getObject(context, `/api/v1/namespaces/${name}`);
  return answer === undefined ? undefined : namespaceSchema.parse(answer).metadata;
}

/** A namespace on its way out, as a detach that was interrupted leaves it, takes no new objects. */
export async function refuseLeavingNamespace(context: CliContext, name: string): Promise<void> {
  if ((await readMetadata(context, name))?.deletionTimestamp === undefined) return;
  throw wrongInput(
    `the namespace ${name} is being deleted`,
    `run the same command again when it is gone: kubectl wait --for=delete namespace/${name}`,
  );
}

/** Where something else installs the chart, that comes first: the relay's ServiceAccount is in it. */
export async function requireNamespace(context: CliContext, name: string): Promise<void> {
  if ((await readMetadata(context, name)) !== undefined) return;
  throw wrongInput(
    `the cluster has no namespace ${name}, and --keep-chart does not make it`,
    'install the chart first, with the values that the same command shows with --dry-run',
  );
}

/** Makes the namespace where it is missing; one that is there stays as it is. Answers whether it made it. */
export async function ensureNamespace(context: CliContext, name: string, installation: string): Promise<boolean> {
  if ((await readNamespace(context, name)) !== undefined) return false;
  const object = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: { [madeByLabel]: installation, 'pod-security.kubernetes.io/enforce': 'restricted' },
    },
  };
  await createObject(context, '/api/v1/namespaces', object);
  return true;
}
