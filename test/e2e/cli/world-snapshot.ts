/** Everything that a command could have changed, as one text for each thing. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { createApiClient } from '../../../infra/local/cluster/api-client.ts';
import type { ApiClient } from '../../../infra/local/cluster/api-client.ts';
import type { ControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import { parseOwnKubeconfig } from '../../../infra/local/cluster/kubeconfig.ts';

const groupsSchema = z.object({
  groups: z.array(z.object({ preferredVersion: z.object({ groupVersion: z.string() }) })),
});
const resourcesSchema = z.object({
  resources: z.array(z.object({ name: z.string(), verbs: z.array(z.string()) })),
});
const listSchema = z.object({
  items: z
    .array(z.looseObject({ metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }) }))
    .nullish(),
});
/** Kinds that change by themselves. */
const restless = new Set(['componentstatuses', 'events', 'leases']);

/** Every object of the cluster without its status, the registrations, and the app's settings. */
export async function takeSnapshot(cluster: ControlPlane, settings: string): Promise<Readonly<Record<string, string>>> {
  const { endpoint, credential } = parseOwnKubeconfig(readFileSync(cluster.kubeconfigPath, 'utf8'));
  const api = createApiClient(endpoint, credential);
  try {
    const { groups } = groupsSchema.parse((await get(api, '/apis')).body);
    const roots = ['/api/v1', ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
    const objects = await Promise.all(roots.map((root) => objectsOf(api, root)));
    const file = readFileSync(settings, 'utf8');
    return { ...Object.fromEntries(objects.flat()), settings: file, registrations: await readBlob(file) };
  } finally {
    api.close();
  }
}

const get = (api: ApiClient, path: string) => api.send({ path, timeoutMs: 60_000 });

async function objectsOf(api: ApiClient, root: string): Promise<readonly (readonly [string, string])[]> {
  const { resources } = resourcesSchema.parse((await get(api, root)).body);
  const listed = resources.filter(({ name, verbs }) => verbs.includes('list') && !restless.has(name));
  const lists = await Promise.all(
    listed.map(async ({ name }) => {
      const { items } = listSchema.parse((await get(api, `${root}/${name}`)).body);
      return (items ?? []).map((item) => {
        const { status: _, metadata, ...object } = item;
        const { managedFields: __, resourceVersion: ___, generation: ____, ...rest } = metadata;
        const key = [root, name, metadata.namespace ?? '', metadata.name].join(' ');
        return [key, JSON.stringify({ ...object, metadata: rest })] as const;
      });
    }),
  );
  return lists.flat();
}

const settingsSchema = z.object({ Values: z.looseObject({ REGISTRATIONS_URL: z.string() }) });

/** The blob's text; empty where there is none. */
export async function readBlob(settings: string): Promise<string> {
  const answer = await fetch(settingsSchema.parse(JSON.parse(settings)).Values.REGISTRATIONS_URL);
  const text = await answer.text();
  return answer.ok ? text : '';
}
