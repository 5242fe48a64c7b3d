import type { ProbedPlace } from '../core/agent/findings/probed-place.ts';
import { describeFault } from '../core/fault.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { ProbeRecords } from '../ports/probe-records.ts';

/** What probes have found, as it is kept now. */
export interface KnownProbes {
  /**
   * Asks at most every five minutes, whoever calls; those who call meanwhile wait for one answer. Never a fault: what can't be
   * read changes nothing, and is logged once until it can be again.
   */
  read(): Promise<readonly ProbedPlace[]>;
}

interface KnownProbesInput {
  readonly records: ProbeRecords;
  /** Of the app: only probes of it matter. */
  readonly region: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Somebody who has probed waits so long at most until pods are judged by it. */
const rereadMs = 5 * 60_000;
/** Pods can be judged without. */
const waitMs = 3_000;

interface Known {
  readonly probes: readonly ProbedPlace[];
  readonly readAtMs: number;
  /** What was logged of them. */
  readonly said: string;
}

export function createKnownProbes(input: KnownProbesInput): KnownProbes {
  let known: Known | undefined;
  let reading: Promise<readonly ProbedPlace[]> | undefined;
  const refresh = async (): Promise<readonly ProbedPlace[]> => {
    known = await readOnce(input, known);
    return known.probes;
  };
  return {
    read: () =>
      known !== undefined && input.clock.monotonicMs() - known.readAtMs < rereadMs
        ? Promise.resolve(known.probes)
        : (reading ??= refresh().finally(() => (reading = undefined))),
  };
}

async function readOnce({ records, region, clock, log }: KnownProbesInput, known: Known | undefined): Promise<Known> {
  const read = await records.get(clock.timeout(waitMs));
  const readAtMs = clock.monotonicMs();
  if (!read.ok) {
    const said = describeFault(read.fault);
    if (said !== known?.said)
      log.warn('what probes have measured could not be read, and is taken to be as it was', { fault: said });
    return { probes: known?.probes ?? [], readAtMs, said };
  }
  const probes = read.value.probes.filter((probe) => probe.region === region);
  const isSame = JSON.stringify(probes) === JSON.stringify(known?.probes);
  const said = summary(probes);
  if (said !== known?.said) log.info(said, { region });
  return { probes: isSame ? (known?.probes ?? probes) : probes, readAtMs, said };
}

function summary(probes: readonly ProbedPlace[]): string {
  if (probes.length === 0)
    return 'nothing was probed in the region of the app: what is assumed of it is taken to be so';
  const places = probes.map(({ subnet, sku, findings }) => {
    const failed = findings.filter(({ outcome }) => outcome === 'fails').map(({ id }) => id);
    return `${sku} in ${subnet ?? 'no subnet'}: ${failed.join(', ') || 'nothing'} fails`;
  });
  return `pods are judged by what was probed: ${places.join('; ')}`;
}
