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
    keptLogs: hookedPort(deps.keptLogs, 'keptLogs', hooks),
    clusters: new Map(clusters),
  };
}

function hookedPort<T extends object>(port: T, name: string, hooks: CallHooks): T {
  return new Proxy(port, {
    get: (target, key, receiver) => {
      const member: unknown = Reflect.get(target, key, receiver);
      // Clocks are no calls.
      if (typeof member !== 'function' || typeof key !== 'string' || key === 'now') return member;
      return async (...args: unknown[]): Promise<unknown> => {
        await hooks.before?.(`${name}.${key}`);
        const answer: unknown = await Reflect.apply(member, target, args);
        await hooks.after?.(`${name}.${key}`);
        return answer;
      };
    },
  });
}
