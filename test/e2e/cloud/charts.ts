/** Charts of `test/e2e/charts` on the shared cloud: installed by Helm, watched, and uninstalled. */
import { join } from 'node:path';
import { silentProgress } from '../../../infra/cli/progress.ts';
import { ensureHelm, helm } from '../../../infra/local/cluster/helm.ts';
import { readSettings } from '../../../infra/local/up/command-line.ts';
import { localRegistry } from '../../../infra/local/registry/catalog.ts';
import { registryEndpoints } from '../../../shared/wire/registry-settings.ts';
import { dir, field, groups, output, podNames, record, until } from './cloud.ts';

export type Shape = 'web' | 'worker' | 'store' | 'backup' | 'runner';
export const shapes: readonly Shape[] = ['web', 'worker', 'store', 'backup', 'runner'];

/** Each has a namespace of its own, and a release of the chart's name. */
export const namespaceOf = (shape: Shape): string => `chart-${shape}`;

const folder = join(import.meta.dirname, '..', 'charts');
const settleMs = 90_000;

async function run(...args: readonly string[]): Promise<void> {
  const { binary } = await ensureHelm({ progress: silentProgress });
  const result = await helm(args, { binary, kubeconfig: record.kubeconfig });
  if (result.code !== 0) throw new Error(`helm ${args.slice(0, 2).join(' ')}: ${result.stderr}${result.stdout}`);
}

/** `helm install`; with `wait` until what it made is ready. */
export async function install(
  shape: Shape,
  options: { readonly wait: boolean; readonly values?: Readonly<Record<string, string>> },
): Promise<void> {
  const values = Object.entries(options.values ?? {}).flatMap(([name, value]) => ['--set-string', `${name}=${value}`]);
  const installed = run(
    'install',
    shape,
    join(folder, shape),
    '--namespace',
    namespaceOf(shape),
    '--values',
    join(folder, 'virtual-node.yaml'),
    ...values,
    ...(options.wait ? ['--wait', '--timeout', `${settleMs / 1000}s`] : []),
  );
  // Helm says which object is not ready; why is in the events.
  await installed.catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await output('-n', namespaceOf(shape), 'get', 'events')}`);
  });
}

/** `helm uninstall`, and that neither a pod nor a container group is left of it. */
export async function uninstall(shape: Shape): Promise<void> {
  const namespace = namespaceOf(shape);
  await run('uninstall', shape, '--namespace', namespace);
  await until(
    `pods and groups of ${shape} are gone`,
    async () => ({
      pods: await podNames('', namespace),
      groups: (await groups()).filter(({ tags }) => tags['kubernetes-namespace'] === namespace).map(({ name }) => name),
    }),
    (left) => left.pods.length + left.groups.length === 0,
    settleMs,
  );
}

/** A field of a pod of the chart, by JSONPath. */
export const ofPod = (shape: Shape, name: string, path: string): Promise<string> =>
  field('pod', name, path, namespaceOf(shape));

/** Waits until a log has what it should; a container has written a moment before its log shows it. */
export const logOf = (shape: Shape, target: string, wanted: RegExp, container?: string): Promise<string> =>
  until(
    `the log of ${target}`,
    () =>
      output('-n', namespaceOf(shape), 'logs', target, ...(container === undefined ? [] : ['--container', container])),
    (log) => wanted.test(log),
    20_000,
  );

/** Where the laptop cloud's registry is; undefined where it has none. */
export const registryOrigin = registryEndpoints.parse(readSettings(dir)['REGISTRY_ENDPOINTS'])[localRegistry];

/** As the registry itself says: `registry.local/NAME@sha256:…`. */
export async function imageIdOf(name: string, tag: string): Promise<string> {
  const answer = await fetch(`${registryOrigin}/v2/${name}/manifests/${tag}`, {
    method: 'HEAD',
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  return `${localRegistry}/${name}@${answer.headers.get('docker-content-digest')}`;
}
