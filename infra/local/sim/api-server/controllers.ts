import type { ClusterState } from './cluster-state.ts';
import { expireEvents } from './event-recorder.ts';
import { GarbageController } from './garbage-controller.ts';
import { tendNamespaces } from './namespace-controller.ts';
import { NodeController } from './node-controller.ts';
import { schedule } from './scheduler.ts';

/** What controllers do to a pod's life, one round a `tick`. Idempotent: a round in which nothing is due writes nothing. */
export class Controllers {
  readonly #nodes = new NodeController();
  readonly #garbage = new GarbageController();

  tick(state: ClusterState): void {
    tendNamespaces(state);
    this.#nodes.tick(state);
    schedule(state);
    this.#garbage.tick(state);
    expireEvents(state);
  }
}
