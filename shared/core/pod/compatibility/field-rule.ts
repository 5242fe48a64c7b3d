import type { AgentGift } from '../../agent/tier.ts';
import type { Json } from '../../json.ts';

/** What becomes of a field of the pod's spec (rule 8 of docs/architecture.md). */
export type Verdict =
  /** It is part of the container group. */
  | 'sent'
  /** Its meaning is kept by other means. */
  | 'emulated'
  /** Hardening only, and the group's own virtual machine gives it; named in one event, refused under `SECURITY_POLICY=strict`. */
  | 'met'
  /** It has no effect here; the pod runs, and one event says so. */
  | 'noted'
  /** No concern of a kubelet, or without any effect on a pod of one group. */
  | 'ignored'
  /** The pod fails and the field is named. */
  | 'refused';

export interface FieldRule {
  /** From `spec`; `[]` stands for each item of a list, `*` for any other key of a map. Covers all that is below. */
  readonly path: string;
  readonly verdict: Verdict;
  /** What happens, or why it can't; half a sentence. */
  readonly reason: string;
  /** Values that ask for nothing; empty strings, lists, objects and null never do. */
  readonly harmless?: readonly Json[];
  /** The verdict is for these values only; any other is refused with `otherwise`. */
  readonly only?: readonly Json[];
  readonly otherwise?: string;
  /** The pod's `status.reason` when refused. */
  readonly refusalReason?: string;
  /**
   * What the agent makes of it. Where the verdict is `refused`, or the value is not one of `only`, a pod that has the field
   * needs the agent; where it is noted or emulated, it wants it if the gift says so. All else is judged by the agent's own rules.
   */
  readonly agent?: AgentGift;
  /** The values of which this is true; absent: all. */
  readonly agentWhen?: (value: Json) => boolean;
}

/** Rows that share a prefix and a verdict: `[name, reason, more]`. */
export type FieldRow = readonly [
  name: string,
  verdict: Verdict,
  reason: string,
  more?: Omit<FieldRule, 'path' | 'verdict' | 'reason'>,
];

export const under = (prefix: string, rows: readonly FieldRow[]): FieldRule[] =>
  rows.map(([name, verdict, reason, more]) => ({ path: `${prefix}.${name}`, verdict, reason, ...more }));
