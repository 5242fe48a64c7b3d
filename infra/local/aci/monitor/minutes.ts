import type { RunUsage } from '../group-store.ts';

export const minuteMs = 60_000;
/** For so long Azure Monitor is asked about here. */
const keptMinutes = 60;

interface Minute {
  cpuNanoSeconds: number;
  coveredMs: number;
  bytes: number;
  samples: number;
}

interface Series {
  run: string;
  at: number;
  cpuNanoSeconds: number;
  readonly minutes: Map<number, Minute>;
}

export interface Average {
  /** The minute's begin. */
  readonly atMs: number;
  readonly millicores: number;
  readonly bytes: number;
}

/** What the containers of one group used, minute by minute. */
export class GroupMinutes {
  readonly #series = new Map<string, Series>();

  /** Takes what was seen at one time; a run that was not seen before counts from its start. */
  add(usages: readonly RunUsage[], now: number): void {
    for (const usage of usages) this.#add(usage, now);
  }

  /** Of each container the minutes that begin within the window; one in which nothing was seen is not there. */
  averages(fromMs: number, toMs: number): ReadonlyMap<string, readonly Average[]> {
    return new Map(
      [...this.#series].map(([container, { minutes }]) => [
        container,
        [...minutes]
          .filter(([atMs, { samples }]) => samples > 0 && atMs >= fromMs && atMs < toMs)
          .map(([atMs, minute]) => averageOf(atMs, minute)),
      ]),
    );
  }

  #add({ container, run, startedAt, cpuNanoSeconds, usageBytes }: RunUsage, now: number): void {
    const known = this.#series.get(container);
    const isSame = known?.run === run;
    const minutes = known?.minutes ?? new Map<number, Minute>();
    const from = isSame ? known.at : startedAt;
    spread(minutes, { from, to: now, cpuNanoSeconds: cpuNanoSeconds - (isSame ? known.cpuNanoSeconds : 0) });
    const minute = minuteOf(minutes, now - 1);
    minute.bytes += usageBytes;
    minute.samples += 1;
    for (const atMs of minutes.keys()) if (atMs < now - keptMinutes * minuteMs) minutes.delete(atMs);
    this.#series.set(container, { run, at: now, cpuNanoSeconds, minutes });
  }
}

function averageOf(atMs: number, { cpuNanoSeconds, coveredMs, bytes, samples }: Minute): Average {
  return {
    atMs,
    millicores: coveredMs === 0 ? 0 : cpuNanoSeconds / coveredMs / 1000,
    bytes: bytes / samples,
  };
}

/** What was used between two samples belongs to the minutes between them, evenly. */
function spread(
  minutes: Map<number, Minute>,
  used: { readonly from: number; readonly to: number; readonly cpuNanoSeconds: number },
): void {
  const lengthMs = used.to - used.from;
  for (let at = used.from; at < used.to;) {
    const end = Math.min(used.to, (Math.floor(at / minuteMs) + 1) * minuteMs);
    const minute = minuteOf(minutes, at);
    minute.cpuNanoSeconds += (used.cpuNanoSeconds * (end - at)) / lengthMs;
    minute.coveredMs += end - at;
    at = end;
  }
}

function minuteOf(minutes: Map<number, Minute>, at: number): Minute {
  const begin = Math.floor(at / minuteMs) * minuteMs;
  const known = minutes.get(begin) ?? { cpuNanoSeconds: 0, coveredMs: 0, bytes: 0, samples: 0 };
  minutes.set(begin, known);
  return known;
}
