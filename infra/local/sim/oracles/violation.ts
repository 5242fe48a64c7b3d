import type { MemoryCluster } from '../memory-cluster.ts';
import type { MemoryContainerGroups } from '../memory-container-groups.ts';
import type { MemoryStore } from '../memory-store.ts';

/** The oracles of docs/architecture.md: sentences that must be true whatever broke. */
export type Oracle = 'O1' | 'O2' | 'O3' | 'O4' | 'O5' | 'O6' | 'O7';

export interface Violation {
  readonly oracle: Oracle;
  readonly text: string;
}

/** Called with each violation as it is found; `uid` is the pod's, where it is about one. */
export type Report = (oracle: Oracle, text: string, uid: string) => void;

/** All that is outside of the app: what the oracles look at. */
export interface Outside {
  readonly now: number;
  readonly cluster: Pick<MemoryCluster, 'nodes'>;
  readonly groups: MemoryContainerGroups;
  readonly store: MemoryStore;
}
