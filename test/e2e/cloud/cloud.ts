/** What an end-to-end test sees of the shared cloud, and its hands on it. */
import { join } from 'node:path';
import { inject } from 'vitest';
import * as z from 'zod';
import { kubectl as runKubectl, kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import type { KubectlResult } from '../../../infra/local/cluster/kubectl.ts';
import { readCloudRecord } from '../../../infra/local/up/cloud-record.ts';
import { readSettings } from '../../../infra/local/up/command-line.ts';
import { until } from '../until.ts';

export { until };

export const dir = inject('cloudDir');
export const record = readCloudRecord(dir);

/** Of the app toward the cluster. */
export const appToken = (): string =>
  Object.entries(readSettings(dir)).find(([name]) => name.startsWith('CLUSTER_TOKEN_'))?.[1] ?? '';
export const target = { binary: record.kubectl, kubeconfig: record.kubeconfig, cacheDir: join(dir, 'kubectl-cache') };

/** Runs kubectl; a non-zero code is a value. */
export const kubectl = (
  args: readonly string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<KubectlResult> => runKubectl(args, { ...target, ...options });

/** Runs kubectl and gives what it printed; throws with what it said when it failed. */
export const output = (...args: readonly string[]): Promise<string> => kubectlOutput(args, target);

/** `kubectl apply` of objects. */
export async function apply(...objects: readonly object[]): Promise<void> {
  const applied = await kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  });
  if (applied.code !== 0) throw new Error(applied.stderr);
}

export interface PodOptions {
  readonly namespace?: string;
  readonly command?: readonly string[];
  readonly image?: string;
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  readonly labels?: Readonly<Record<string, string>>;
  /** Laid over the pod's spec. */
  readonly spec?: object;
  /** Laid over its only container. */
  readonly container?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A pod for the virtual node: busybox, `sleep 3600`, restartPolicy Never unless given. */
export function pod(name: string, options: PodOptions = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: options.namespace ?? 'default',
      labels: options.labels ?? {},
      annotations: options.annotations ?? {},
    },
    spec: podSpec(options),
  };
}

export function podSpec(options: PodOptions = {}): object {
  return {
    restartPolicy: options.restartPolicy ?? 'Never',
    nodeSelector: { type: 'virtual-kubelet' },
    tolerations: [{ key: 'virtual-kubelet.io/provider', operator: 'Exists' }],
    terminationGracePeriodSeconds: 2,
    containers: [
      {
        name: 'main',
        image: options.image ?? 'busybox:1.36',
        command: options.command ?? ['sleep', '3600'],
        ...options.container,
      },
    ],
    ...options.spec,
  };
}

/** A field of an object by JSONPath; '' when either is absent. */
export async function field(kind: string, name: string, path: string, namespace = 'default'): Promise<string> {
  return (await kubectl(['get', kind, name, '-n', namespace, '--ignore-not-found', '-o', `jsonpath=${path}`])).stdout;
}

export const phase = (name: string, namespace = 'default'): Promise<string> =>
  field('pod', name, '{.status.phase}', namespace);

/** Of a phase. */
export const isOver = (seen: string): boolean => seen === 'Succeeded' || seen === 'Failed';

/** The events of a pod, a line each; `line`: of what of them. */
export const eventsOf = (name: string, namespace: string, line = '{.reason}: {.message}'): Promise<string> => {
  const path = `jsonpath={range .items[*]}${line}{"\\n"}{end}`;
  return output('get', 'events', '-n', namespace, '--field-selector', `involvedObject.name=${name}`, '-o', path);
};

/** Names of all pods with a label, or of all. */
export async function podNames(selector = '', namespace = 'default'): Promise<string[]> {
  const names = await output(
    'get',
    'pods',
    '-n',
    namespace,
    '-l',
    selector,
    '-o',
    'jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}',
  );
  return names.split('\n').filter((name) => name !== '');
}

const groupSchema = z.looseObject({
  name: z.string(),
  tags: z.record(z.string(), z.string()),
  provisioningState: z.string(),
  state: z.string(),
});
const runSchema = z.looseObject({
  group: z.string(),
  container: z.string(),
  init: z.boolean(),
  uid: z.string().optional(),
  startedAt: z.union([z.string(), z.number()]),
  exitCode: z.number().optional(),
});
const journalSchema = z.looseObject({
  time: z.union([z.string(), z.number()]),
  method: z.string(),
  path: z.string(),
  action: z.string().optional(),
  status: z.number(),
});

const emulator = async (path: string, init?: RequestInit): Promise<unknown> => {
  const answer = await fetch(`${record.emulatorAdminUrl ?? ''}/_emulator/${path}`, init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`emulator ${path}: ${answer.status} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as unknown);
};

/** The container groups that ARM holds, seen from inside. */
export const groups = async () => z.object({ groups: z.array(groupSchema) }).parse(await emulator('groups')).groups;
/** Every container that ever ran: the truth for "ran twice" and "true exit code". */
export const runs = async () => z.object({ runs: z.array(runSchema) }).parse(await emulator('runs')).runs;
export const journal = async () =>
  z.object({ requests: z.array(journalSchema) }).parse(await emulator('journal')).requests;
export const addFault = (rule: object): Promise<unknown> =>
  emulator('faults', { method: 'POST', body: JSON.stringify(rule) });
/** Azure takes the capacity of a Spot group back. */
export const evict = (group: string): Promise<unknown> =>
  emulator('evict', { method: 'POST', body: JSON.stringify({ group }) });
export const clearFaults = (): Promise<unknown> => emulator('faults', { method: 'DELETE' });

/** The Functions host's control port: `kill?target=timer:node-heartbeat&signal=SIGKILL`, `pause?ms=90000`. */
export async function host(path: string): Promise<unknown> {
  const answer = await fetch(`${record.hostAdminUrl}/${path}`, { method: 'POST' });
  if (!answer.ok) throw new Error(`host ${path}: ${answer.status} ${await answer.text()}`);
  return answer.text();
}

/** What only the process that started the cloud can do to it; resolves when it is done. */
export async function outage(path: 'relay/kill' | 'relay/start' | 'api-server/restart'): Promise<void> {
  const answer = await fetch(`${inject('outagesUrl')}/${path}`, { method: 'POST' });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** The group of a pod, by the UID in its tags. */
export async function groupOf(name: string, namespace = 'default') {
  const uid = await field('pod', name, '{.metadata.uid}', namespace);
  return (await groups()).find((group) => group.tags['kubernetes-pod-uid'] === uid);
}

/** Deletes a namespace and waits until none of its groups is left. */
export async function removeNamespace(namespace: string): Promise<void> {
  await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=true', '--timeout=120s'], {
    timeoutMs: 130_000,
  });
  await until(
    `groups of ${namespace} are gone`,
    async () => (await groups()).filter((group) => group.tags['kubernetes-namespace'] === namespace).length,
    (count) => count === 0,
    120_000,
  );
}

export async function createNamespace(namespace: string): Promise<void> {
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  // A pod made before its namespace has a ServiceAccount is refused by the API server.
  await until(
    'the default ServiceAccount',
    () => field('serviceaccount', 'default', '{.metadata.name}', namespace),
    (name) => name === 'default',
  );
}
