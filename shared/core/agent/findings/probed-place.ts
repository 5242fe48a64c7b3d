import type { AssumptionId, Finding } from '../assumptions.ts';

/** Where something was measured: what holds in one place need not in another. */
export interface ProbePlace {
  readonly region: string;
  /** Resource id; null: outside of every subnet. */
  readonly subnet: string | null;
  readonly sku: string;
}

/** What was found at a place. */
export interface ProbedPlace extends ProbePlace {
  readonly findings: readonly Pick<Finding, 'id' | 'outcome'>[];
}

/** To ARM resource ids of another case are the same. */
export const isSamePlace = (one: ProbePlace, other: ProbePlace): boolean =>
  one.region === other.region && one.sku === other.sku && one.subnet?.toLowerCase() === other.subnet?.toLowerCase();

/** What was found to fail at that very place; undefined: nothing, or nobody has looked. */
export function failedAt(
  probes: readonly ProbedPlace[] | undefined,
  place: ProbePlace,
): ReadonlySet<AssumptionId> | undefined {
  const findings = probes?.find((one) => isSamePlace(one, place))?.findings ?? [];
  const failed = findings.filter(({ outcome }) => outcome === 'fails').map(({ id }) => id);
  return failed.length === 0 ? undefined : new Set(failed);
}
