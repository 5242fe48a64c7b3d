import type { KubernetesClient } from '../../../../shared/adapters/kubernetes/http.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import { writeNodeEvent } from '../node-event.ts';
import type { NodeEvent } from '../node-event.ts';
import type { PostOutcome } from './post-outcome.ts';
import { firstReach, reach } from './reachability.ts';
import type { Reachability } from './reachability.ts';

export interface AppWatcherOptions {
  readonly client: KubernetesClient;
  readonly nodes: readonly string[];
  readonly log: Log;
}

const tenMinutesMs = 600_000;

/** Reports by an event on each Node when the app takes no posts, and when it does again. */
export class AppWatcher {
  readonly #options: AppWatcherOptions;
  readonly #signal: AbortSignal;
  #state: Reachability = firstReach;

  constructor(options: AppWatcherOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** After each post; `now` in monotonic ms. A refusal for good is an answer too. */
  note(outcome: PostOutcome, now: number): void {
    const { state, say } = reach(this.#state, outcome.kind !== 'again', now);
    this.#state = state;
    switch (say) {
      case 'nothing':
        return;
      case 'unreachable':
        return this.#write({
          type: 'Warning',
          reason: 'AppUnreachable',
          message: `The function app took nothing from the relay for a minute or longer: ${outcome.kind === 'again' ? outcome.cause : ''}. Running pods go on; new ones wait.`,
          onceInMs: tenMinutesMs,
        });
      case 'reachable':
        return this.#write({ type: 'Normal', reason: 'AppReachable', message: 'The function app answers again.' });
    }
  }

  #write(event: Omit<NodeEvent, 'node'>): void {
    for (const node of this.#options.nodes) void writeNodeEvent(this.#options, { ...event, node }, this.#signal);
  }
}
