import { randomUUID } from 'node:crypto';
import type { KubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import type { Log } from '../../../shared/ports/log.ts';
import type { AppClient } from './app/app-client.ts';
import { Poster } from './app/poster.ts';
import type { Term } from './election/term.ts';
import { NodeHeart } from './hearts/node-heart.ts';
import { Reflector } from './pods/reflector.ts';

export interface LeadingOptions {
  readonly client: KubernetesClient;
  readonly app: AppClient;
  readonly nodes: readonly string[];
  readonly term: Term;
  readonly log: Log;
}

/** What only the leader does: watches, posts and beats, from a list anew and under an epoch of its own. */
export interface Leading {
  /** Whether every node's first list is done. */
  readonly isListed: () => boolean;
  /** Resolves, never rejects, when nothing of it is left. */
  readonly ended: Promise<void>;
}

/** Begins all that, until `signal` aborts. */
export function startLeading({ client, app, nodes, term, log }: LeadingOptions, signal: AbortSignal): Leading {
  const reflectors: Reflector[] = [];
  const hasPods = (): boolean => reflectors.some((reflector) => reflector.size > 0);
  const poster = new Poster({ app, epoch: randomUUID(), term, hasPods, log, random: Math.random });
  signal.addEventListener('abort', () => poster.close(), { once: true });
  const running = nodes.flatMap((node) => {
    const reflector = new Reflector({ client, node, sink: poster, log, random: Math.random });
    reflectors.push(reflector);
    const isRemoved = (): boolean => poster.isRemoved(node);
    const heart = new NodeHeart({ client, node, term, tick: () => poster.tickNow(), isRemoved, log });
    return [reflector.run(signal), heart.run(signal)];
  });
  return {
    isListed: () => reflectors.every((reflector) => reflector.isListed),
    ended: Promise.all(running).then(() => undefined),
  };
}
