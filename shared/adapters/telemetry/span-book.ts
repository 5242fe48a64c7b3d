import { childOf, isKept, newTrace } from '../../core/telemetry/traceparent.ts';
import type { TraceContext } from '../../core/telemetry/traceparent.ts';
import type { Span, SpanAttributes, SpanStart } from '../../ports/telemetry.ts';

/** A span that has ended, as plain data: what an exporter makes of it is its own business. */
export interface SpanRecord {
  readonly name: string;
  readonly kind: SpanStart['kind'];
  readonly context: TraceContext;
  readonly parent: TraceContext | undefined;
  /** Milliseconds since the epoch, with fractions. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: SpanAttributes;
  readonly fault: string | undefined;
}

export interface SpanBookOptions {
  /** The part of the traces that is kept, 0 to 1. */
  readonly sampleRatio: number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly wallMs: () => number;
}

interface Branch {
  /** Ended children of a span of ours that is still open: they wait for its verdict. */
  readonly waiting: SpanRecord[];
}

/** So many spans are held between two flushes; what comes on top is lost. */
const mostHeld = 4096;

/**
 * The spans of one process until they are sent. A span is kept or dropped as a whole with all that it caused here: only
 * when a reconcile ends is it known whether anything happened worth reporting.
 */
export class SpanBook {
  readonly #options: SpanBookOptions;
  /** By the id of a span of ours that is open and has no open parent here. */
  readonly #branches = new Map<string, Branch>();
  #ended: SpanRecord[] = [];

  constructor(options: SpanBookOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#ended.length === 0;
  }

  start(name: string, { parent, kind, attributes }: SpanStart): Span {
    const { random, wallMs, sampleRatio } = this.#options;
    const context = parent === undefined ? newTrace(random) : childOf(parent, random);
    // A caller's span that is another process's is no branch of ours: this one begins it.
    const branch = parent === undefined ? undefined : this.#branches.get(parent.spanId);
    const own: Branch = branch ?? { waiting: [] };
    this.#branches.set(context.spanId, own);
    const collected: Record<string, string | number | boolean | undefined> = { ...attributes };
    const startedAt = wallMs();
    return {
      context,
      setAttributes: (more) => void Object.assign(collected, more),
      end: ({ fault, isDropped = false }) => {
        if (!this.#branches.delete(context.spanId)) return;
        const record = { name, kind, context, parent, startedAt, endedAt: wallMs(), attributes: collected, fault };
        if (!isDropped) own.waiting.push(record);
        if (branch !== undefined) return;
        const spans = isDropped || !context.sampled || !isKept(context, sampleRatio) ? [] : own.waiting;
        this.#ended.push(...spans.slice(0, Math.max(0, mostHeld - this.#ended.length)));
      },
    };
  }

  /** All that has ended; the book forgets them. */
  take(): readonly SpanRecord[] {
    const taken = this.#ended;
    this.#ended = [];
    return taken;
  }
}
