import { formatTraceparent, newTrace } from '../../../../shared/core/telemetry/traceparent.ts';
import type { Span, Telemetry } from '../../../../shared/ports/telemetry.ts';
import type { PodKey } from '../../../../shared/wire/relay-protocol/pod-events.ts';

interface Open {
  readonly traceparent: string;
  readonly span: Span;
}

/** Spans are sent so long after the first that has ended, many at once. */
const flushAfterMs = 2000;
/** While the app takes nothing, each news of a pod takes the place of the last, for hours. */
const mostOpen = 4;

/**
 * Each change of a pod is a trace of its own, from the moment that its watch reported it: the key carries it to the app,
 * whose reconcile goes on with it. Without an exporter the key has a trace all the same: the app's logs name it.
 */
export class Transitions {
  readonly #telemetry: Telemetry;
  readonly #random: () => number;
  /** Spans of changes that the app has not taken yet, the oldest first, by the pod's UID. */
  readonly #open = new Map<string, readonly Open[]>();
  #flush: NodeJS.Timeout | undefined;

  /** `random` in [0, 1): where the ids come from when no exporter gives them. */
  constructor(telemetry: Telemetry, random: () => number) {
    this.#telemetry = telemetry;
    this.#random = random;
  }

  /** The key with the trace of this change. */
  begin(pod: PodKey): PodKey {
    const span = this.#telemetry.startSpan('pod.event', {
      parent: undefined,
      kind: 'producer',
      attributes: {
        'k8s.node.name': pod.node,
        'k8s.namespace.name': pod.namespace,
        'k8s.pod.name': pod.name,
        'k8s.pod.uid': pod.uid,
        'k8s.pod.deleting': pod.deletionTimestamp !== undefined,
      },
    });
    const traceparent = formatTraceparent(span.context ?? newTrace(this.#random));
    if (span.context !== undefined) {
      const open = [...(this.#open.get(pod.uid) ?? []), { traceparent, span }];
      for (const old of open.splice(0, open.length - mostOpen)) old.span.end({ isDropped: true });
      this.#open.set(pod.uid, open);
    }
    return { ...pod, traceparent };
  }

  /** The app took the keys, or refused them for good. What a newer state had taken the place of was never sent. */
  end(pods: readonly PodKey[], outcome: 'taken' | 'refused'): void {
    for (const { uid, traceparent } of pods) {
      const open = this.#open.get(uid) ?? [];
      const at = open.findIndex((one) => one.traceparent === traceparent);
      if (at < 0) continue;
      for (const { span } of open.slice(0, at)) span.end({ isDropped: true });
      open[at]?.span.end(outcome === 'taken' ? {} : { fault: 'refused' });
      const rest = open.slice(at + 1);
      if (rest.length === 0) this.#open.delete(uid);
      else this.#open.set(uid, rest);
      this.#flush ??= setTimeout(() => this.#send(), flushAfterMs).unref();
    }
  }

  /** Ends the timer, and sends what has ended so far. */
  close(): void {
    clearTimeout(this.#flush);
    this.#send();
  }

  #send(): void {
    this.#flush = undefined;
    void this.#telemetry.flush();
  }
}
