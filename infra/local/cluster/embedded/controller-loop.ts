import type { ClusterState } from '../../sim/api-server/cluster-state.ts';
import type { MemoryCluster } from '../../sim/memory-cluster.ts';

const afterWriteMs = 20;

/** Drives the controllers: a moment after each write, and from time to time. Follows the cluster when it is rebuilt. */
export class ControllerLoop {
  readonly #cluster: MemoryCluster;
  readonly #tickMs: number;
  #state: ClusterState | undefined;
  #bootstrap: (state: ClusterState) => void = () => undefined;
  #watches = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(cluster: MemoryCluster, tickMs: number) {
    this.#cluster = cluster;
    this.#tickMs = tickMs;
  }

  /** `bootstrap` puts into a new cluster what is there from the start. */
  start(bootstrap: (state: ClusterState) => void): void {
    this.#bootstrap = bootstrap;
    this.state();
    if (this.#tickMs > 0) this.#timer = setInterval(() => this.#tick(), this.#tickMs);
  }

  /** The state as it is now. When the cluster was rebuilt, watches of the old one end here. */
  state(): ClusterState {
    const state = this.#cluster.state();
    if (state === this.#state) return state;
    this.#state = state;
    this.#watches.abort();
    this.#watches = new AbortController();
    this.#bootstrap(state);
    if (this.#tickMs > 0) state.store.subscribe(() => this.#wake());
    return state;
  }

  /** Ends the watches that begin now. */
  signal(): AbortSignal {
    return this.#watches.signal;
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#watches.abort();
  }

  #wake(): void {
    if (this.#isStopped) return;
    this.#soon ??= setTimeout(() => this.#tick(), afterWriteMs);
  }

  #tick(): void {
    clearTimeout(this.#soon);
    this.state();
    this.#cluster.tick();
    // What the round itself wrote wakes nobody; the next round comes soon enough.
    clearTimeout(this.#soon);
    this.#soon = undefined;
  }
}
