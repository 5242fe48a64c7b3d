import type { Probe } from '../../../../shared/core/kubernetes/pod.ts';

/** What the probes of one run have come to (pkg/kubelet/prober/worker.go). */
export interface ProbeState {
  readonly ready: boolean;
  /** How often in a row the last result came. */
  readonly inRow: number;
  readonly last: 'success' | 'failure' | undefined;
}

/** `ready`: the last word on this run, be it another relay's. */
export const firstState = (ready: boolean): ProbeState => ({ ready, inRow: 0, last: undefined });

/** After one more probe: a result counts when it has come as often in a row as its threshold says. */
export function nextState(
  { ready, inRow, last }: ProbeState,
  result: 'success' | 'failure',
  { successThreshold, failureThreshold }: Pick<Probe, 'successThreshold' | 'failureThreshold'>,
): ProbeState {
  const times = result === last ? inRow + 1 : 1;
  const counts = times >= (result === 'success' ? successThreshold : failureThreshold);
  return { ready: counts ? result === 'success' : ready, inRow: times, last: result };
}
