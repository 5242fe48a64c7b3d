import { silentTelemetry } from '../../../shared/adapters/telemetry/silent.ts';
import { createAgentAccess } from '../../../shared/app/agent-access.ts';
import type { ClusterDeps, Deps, NodeDeps } from '../../../shared/app/deps.ts';
import { nodeFacts } from '../../../shared/app/node-facts.ts';
import { findCluster, findNode } from '../../../shared/app/registered-clusters.ts';
import { ok } from '../../../shared/core/fault.ts';
import type { Result } from '../../../shared/core/fault.ts';
import type { AgentWords } from '../../../shared/ports/agent-words.ts';
import type { Reservation } from '../../../shared/ports/budgets.ts';
import type { ClusterApi, NodeApi } from '../../../shared/ports/node-api.ts';
import { createMemoryAgentWords } from './memory-agent-words.ts';
import type { Settings } from '../../../shared/wire/settings.ts';

/** The API server, as a process of the app reaches it. */
export interface ClusterPorts {
  readonly api: ClusterApi;
  readonly nodeApi: (name: string) => NodeApi;
}

/** What is the process's own; the rest follows from the settings. */
export type ProcessParts = Pick<
  Deps,
  | 'settings'
  | 'log'
  | 'store'
  | 'groups'
  | 'keptLogs'
  | 'imageRegistry'
  | 'clock'
  | 'random'
  | 'instance'
  | 'reserveCreate'
> & {
  readonly cluster: ClusterPorts;
  /** In no container there is one, unless given. */
  readonly agentWords?: AgentWords;
};

/** A process of the app that knows nothing but the settings, over whatever ports it is given; its registrations never change. */
export function createAppProcess({ cluster, ...parts }: ProcessParts): Deps {
  const { CLUSTERS } = parts.settings;
  return {
    ...parts,
    agentAccess: createAgentAccess({
      appUrl: parts.settings.APP_URL,
      keys: parts.settings.AGENT_ROOT_KEYS,
      draw: (count) => Uint8Array.from({ length: count }, () => Math.floor(parts.random() * 256)),
    }),
    agentWords: parts.agentWords ?? createMemoryAgentWords(parts.groups),
    clusters: new Map(CLUSTERS.map((one) => [one.uid, clusterDepsOf(parts.settings, one, cluster)])),
    nodeHints: new Map(),
    startTimes: new Map(),
    withoutFeatures: new Set<string>(),
    confirmNode: ({ cluster: uid, node }) => {
      const confirmed = findCluster(CLUSTERS, uid);
      return Promise.resolve(confirmed.ok ? findNode(confirmed.value, node) : confirmed);
    },
    confirmCluster: (uid) => Promise.resolve(findCluster(CLUSTERS, uid)),
    dialSession: () => Promise.resolve(ok(undefined)),
    telemetry: silentTelemetry,
  };
}

function clusterDepsOf(
  settings: Settings,
  registration: Settings['CLUSTERS'][number],
  { api, nodeApi }: ClusterPorts,
): ClusterDeps {
  const cluster = { registration, api };
  const agent = { appUrl: settings.APP_URL, packaged: undefined };
  const nodes = registration.nodes.map((node): [string, NodeDeps] => [
    node.name,
    {
      key: { cluster: registration.uid, node: node.name },
      registration: node,
      facts: nodeFacts(settings, { cluster: registration, node, environment: {}, agent }),
      api: nodeApi(node.name),
      cluster,
    },
  ]);
  return { ...cluster, nodes: new Map(nodes) };
}

/** Of budgets that never run out. */
export const freeReservation = (): Promise<Result<Reservation>> =>
  Promise.resolve({ ok: true, value: { release: () => undefined } });

/** The one cluster of a simulation. */
export function clusterOf(deps: Deps): ClusterDeps {
  const [found] = deps.clusters.values();
  if (found === undefined) throw new Error('no cluster');
  return found;
}

export const nodesOf = (deps: Deps): readonly NodeDeps[] => [...clusterOf(deps).nodes.values()];
