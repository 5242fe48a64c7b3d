import { createEventApi } from '../../../../shared/adapters/kubernetes/events.ts';
import { describeFault } from '../../../../shared/core/fault.ts';
import type { Pod } from '../../../../shared/core/kubernetes/pod.ts';
import { mayBeCut } from '../../../../shared/core/logs/log-cut.ts';
import { containersOf, fieldPath } from '../../../../shared/core/pod-events/pod-event.ts';
import { podEvents } from '../../../../shared/core/pod-events/table.ts';
import type { KubeletContext } from './call.ts';

const longestWriteMs = 5_000;

interface ShownLog {
  readonly pod: Pod;
  readonly container: string;
  /** With its instants, as the app gave it. */
  readonly content: string;
}

/**
 * Reports by an event that the beginning of an ended container's log is probably cut: nothing is put into output that a program
 * may parse. The same event is written once while the API server keeps it. Never rejects.
 */
export async function reportCutLog(
  { client, node, log }: Pick<KubeletContext, 'client' | 'node' | 'log'>,
  { pod, container: name, content }: ShownLog,
): Promise<void> {
  const container = containersOf(pod).find((one) => one.name === name);
  if (container === undefined || !mayBeCut(content)) return;
  const { uid, namespace, name: podName } = pod.metadata;
  const { type, reason, message } = podEvents.logCut.of(container);
  const written = await createEventApi(client, node).createEvent(
    {
      involved: { kind: 'Pod', namespace, name: podName, uid, fieldPath: fieldPath(container) },
      type,
      reason,
      message,
      at: new Date(client.clock.now() ?? Date.now()).toISOString(),
      dedupeKey: `${uid}/${reason}/${name}`,
    },
    // The reader has its answer and may be gone.
    AbortSignal.timeout(longestWriteMs),
  );
  if (!written.ok) log.warn('an event could not be written', { node, reason, fault: describeFault(written.fault) });
}
