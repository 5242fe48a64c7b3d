import { createHash } from 'node:crypto';
import { createEventApi } from '../../../shared/adapters/kubernetes/events.ts';
import type { KubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import { describeFault } from '../../../shared/core/fault.ts';
import type { Log } from '../../../shared/ports/log.ts';

/** What a person is to read at a Node. */
export interface NodeEvent {
  readonly node: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** The same one within this time, in ms, is one event, whichever replica writes it; absent: within a second. */
  readonly onceInMs?: number;
}

/** Writes it; one that can't be written is a line in the log. Never rejects. */
export async function writeNodeEvent(
  { client, log }: { readonly client: KubernetesClient; readonly log: Log },
  { node, type, reason, message, onceInMs = 1000 }: NodeEvent,
  signal: AbortSignal,
): Promise<void> {
  const now = client.clock.now() ?? Date.now();
  const dedupe = `${node} ${reason} ${Math.floor(now / onceInMs)}`;
  const written = await createEventApi(client, node).createEvent(
    {
      // `kubectl describe node` looks for events of a node by its name as the UID.
      involved: { kind: 'Node', namespace: '', name: node, uid: node },
      type,
      reason,
      message,
      at: new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
      dedupeKey: createHash('sha256').update(dedupe).digest('hex'),
    },
    signal,
  );
  if (!written.ok && !signal.aborted)
    log.warn('an event could not be written', { node, reason, fault: describeFault(written.fault) });
}
