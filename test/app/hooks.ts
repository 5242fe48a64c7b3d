import { intercepted } from '../../infra/local/sim/intercepted.ts';
import type { ClusterDeps, Deps, NodeDeps } from '../../shared/app/deps.ts';

export interface CallHooks {
  /** May throw, or wait. */
  readonly before?: (call: string) => void | Promise<void>;
  /** After the effect, before the caller hears of it. */
  readonly after?: (call: string) => void | Promise<void>;
}

/** The same process with every call of a port passing by `hooks`, named `groups.get`, `store.upsertPod`, `api.patchPodStatus`. */
export function hooked(deps: Deps, hooks: CallHooks): Deps {
  const clusters = [...deps.clusters].map(([uid, cluster]): [string, ClusterDeps] => {
    const api = hookedPort(cluster.api, 'cluster', hooks);
    const nodes = [...cluster.nodes].map(([name, node]): [string, NodeDeps] => [
      name,
      { ...node, api: hookedPort(node.api, 'api', hooks), cluster: { ...node.cluster, api } },
    ]);
    return [uid, { ...cluster, api, nodes: new Map(nodes) }];
  });
  return {
    ...deps,
    store: hookedPort(deps.store, 'store', hooks),
    groups: hookedPort(deps.groups, 'groups', hooks),
    agentWords: hookedPort(deps.agentWords, 'agentWords', hooks),
    keptLogs: hookedPort(deps.keptLogs, 'keptLogs', hooks),
    imageRegistry: hookedPort(deps.imageRegistry, 'imageRegistry', hooks),
    clusters: new Map(clusters),
  };
}

const hookedPort = <T extends object>(port: T, name: string, hooks: CallHooks): T =>
  intercepted(port, name, async (call) => {
    await hooks.before?.(call.name);
    const answer = await call.send(call.signal);
    await hooks.after?.(call.name);
    return answer;
  });
