import { Readable } from 'node:stream';
import type { AppSource } from '../../../../infra/cli/app-settings.ts';
import type { ApiAnswer, ApiRequest, ClusterApi } from '../../../../infra/cli/cluster/api.ts';
import type { ClusterFault } from '../../../../infra/cli/cluster/cluster-fault.ts';
import type { Command } from '../../../../infra/cli/command.ts';
import type { CliContext } from '../../../../infra/cli/context.ts';
import type { ExitCode } from '../../../../infra/cli/exit-code.ts';
import { parseOptions } from '../../../../infra/cli/options.ts';
import { createOutput, parseFormat } from '../../../../infra/cli/output.ts';
import { Stop, failure } from '../../../../infra/cli/stop.ts';
import { leases, namespaces, nodes, pods } from '../../../../infra/local/sim/api-server/resources.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';
import type { ContainerGroups } from '../../../../shared/ports/container-groups.ts';
import type { ProbeRecords } from '../../../../shared/ports/probe-records.ts';
import { settingsOf } from '../../../fixtures/settings.ts';
import type { World } from '../../../app/world.ts';

export interface Surroundings {
  /** What az answers, by its first words; anything else is refused. */
  readonly az?: Readonly<Record<string, unknown>>;
  readonly server?: string;
  /** Paths that the API server answers besides those of the world. */
  readonly paths?: Readonly<Record<string, JsonObject | string>>;
  /** Asked before all others; undefined: it is not its business. */
  readonly send?: (request: ApiRequest) => ApiAnswer | ClusterFault | undefined;
  readonly signal?: AbortSignal;
  /** What comes of every question to the API server. */
  readonly fault?: ClusterFault;
  readonly source?: AppSource;
  /** What probes have found; without it there is no place for them. */
  readonly probeRecords?: ProbeRecords;
  /** Instead of the world's ARM. */
  readonly groups?: ContainerGroups;
}

export interface Shown {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command over a world: its tables, its ARM, its API server. */
export async function runOver(
  world: World,
  command: Command,
  args: readonly string[],
  around: Surroundings = {},
): Promise<Shown> {
  const options = parseOptions(
    around.source?.kind === 'azure'
      ? [...args, '--app', 'kubelet', '--resource-group', 'apps']
      : [...args, '--settings', 'local.settings.json'],
    command.options,
  );
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({ write: (text: string) => void (written[name] += text) });
  const out = createOutput({
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    format: parseFormat(options.text('output')),
    environment: {},
  });
  const context: CliContext = {
    options,
    out,
    environment: {},
    signal: around.signal ?? new AbortController().signal,
    stdin: () => Readable.from([]),
    az: { json: (words) => answerOf(words, around.az ?? {}) },
    app: () =>
      Promise.resolve({
        source: around.source ?? { kind: 'file', file: 'local.settings.json' },
        values: { ...settingsOf(), FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1048576' },
        settings: world.settings,
      }),
    settings: () => Promise.resolve(world.settings),
    registrations: () => Promise.reject(new Error('no registrations here')),
    probeRecords: () => Promise.resolve(around.probeRecords),
    groups: () => Promise.resolve(around.groups ?? world.groups),
    store: () => Promise.resolve(world.store),
    table: () => Promise.resolve(world.store.table),
    api: apiOf(world, around),
    kubectl: () => Promise.reject(new Error('no kubectl here')),
    helm: () => Promise.reject(new Error('no helm here')),
    useKubeconfig: () => undefined,
  };
  try {
    return { code: await command.run(context), ...written };
  } catch (error) {
    if (error instanceof Stop) return { code: error.code, ...written, stderr: `${error.message}\n${error.fix ?? ''}` };
    throw error;
  }
}

function answerOf(words: readonly string[], answers: Readonly<Record<string, unknown>>): Promise<unknown> {
  const line = words.join(' ');
  const known = Object.keys(answers).find((key) => line.startsWith(key));
  return known === undefined
    ? Promise.reject(failure('the Azure CLI (az) is not on PATH'))
    : Promise.resolve(answers[known]);
}

function apiOf(world: World, around: Surroundings): ClusterApi {
  const server = around.server ?? 'https://api.example:6443';
  return {
    contexts: () => Promise.resolve({ current: 'here', contexts: [{ name: 'here', server }] }),
    place: () => Promise.reject(new Error('no kubeconfig here')),
    send: (request) => {
      const { path } = request;
      const answer = around.send?.(request);
      if (answer !== undefined) return Promise.resolve(answer);
      if (around.fault !== undefined) return Promise.resolve(around.fault);
      const found = around.paths?.[path] ?? objectAt(world, path);
      if (found === undefined) return Promise.resolve({ kind: 'not-found', message: 'it is not there' });
      const text = typeof found === 'string' ? found : JSON.stringify(found);
      return Promise.resolve({ kind: 'answered', status: 200, text, serverMs: Math.floor(world.now / 1000) * 1000 });
    },
  };
}

function objectAt(world: World, path: string): JsonObject | undefined {
  const { store } = world.cluster.state();
  const name = path.split('/').at(-1) ?? '';
  if (path === '/api/v1/namespaces/kube-system') return store.get(namespaces, { namespace: '', name });
  if (path.startsWith('/api/v1/nodes/')) return store.get(nodes, { namespace: '', name });
  if (path.includes('/namespaces/kube-node-lease/leases/'))
    return store.get(leases, { namespace: 'kube-node-lease', name });
  if (path.startsWith('/api/v1/pods?')) return { items: [...store.sorted(pods)] };
  return undefined;
}
