import { z } from 'zod';

/** A rule of `POST /_emulator/faults`. What is absent does not happen. */
export const faultRuleSchema = z.strictObject({
  /** Which door: ARM (default) or the identity endpoint. */
  endpoint: z.enum(['arm', 'identity']).default('arm'),
  method: z.string().optional(),
  /** Regular expression over path and query, case-insensitive. */
  path: z.string().optional(),
  /** Matching requests that pass before the rule begins. */
  skip: z.number().int().min(0).default(0),
  /** How often it applies; `null` is for ever. */
  count: z.number().int().min(1).nullable().default(1),
  delayMs: z.number().min(0).optional(),
  /** An answer instead of the real one; before the effect unless `afterEffect`. */
  status: z.number().int().min(100).max(599).optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  retryAfterSeconds: z.number().min(0).optional(),
  /** A body as it is (garbage, HTML), with `status` or 200. */
  body: z.string().optional(),
  contentType: z.string().optional(),
  afterEffect: z.boolean().default(false),
  /** Cuts the connection before or after the effect took place. */
  drop: z.enum(['before', 'after']).optional(),
  /** For PUT: no capacity, at once (409) or in the operation, or never scheduled. */
  capacity: z.enum(['sync', 'async', 'never']).optional(),
});
export type FaultRule = z.infer<typeof faultRuleSchema>;
/** One rule or several. */
export const faultBodySchema = z.union([faultRuleSchema, z.array(faultRuleSchema)]);

interface ArmedRule {
  readonly rule: FaultRule;
  readonly pattern: RegExp;
  skip: number;
  left: number;
}

/** The injected faults, first match wins. */
export class FaultTable {
  #rules: ArmedRule[] = [];

  /** Throws on a path that is no regular expression. */
  add(rule: FaultRule): void {
    const pattern = new RegExp(rule.path ?? '', 'i');
    this.#rules.push({ rule, pattern, skip: rule.skip, left: rule.count ?? Number.POSITIVE_INFINITY });
  }

  /** The rule for a request, counted down. */
  take(endpoint: FaultRule['endpoint'], method: string, url: string): FaultRule | undefined {
    if (this.#rules.length === 0) return undefined;
    const match = this.#rules.find(
      ({ rule, pattern }) =>
        rule.endpoint === endpoint &&
        (rule.method === undefined || rule.method.toUpperCase() === method) &&
        pattern.test(url),
    );
    if (match === undefined) return undefined;
    if (match.skip > 0) {
      match.skip -= 1;
      return undefined;
    }
    match.left -= 1;
    if (match.left <= 0) this.#rules = this.#rules.filter((r) => r !== match);
    return match.rule;
  }

  all(): readonly (FaultRule & { readonly left: number | null })[] {
    return this.#rules.map(({ rule, left }) => ({ ...rule, left: Number.isFinite(left) ? left : null }));
  }

  clear(): void {
    this.#rules = [];
  }
}
