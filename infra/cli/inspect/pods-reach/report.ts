/** What came of one hop in one container. */
export interface Hop {
  readonly verdict: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
}

/** What one container reported. */
export interface ReachReport {
  /** Name servers of its resolv.conf. */
  readonly resolvers: readonly string[];
  readonly hops: ReadonlyMap<string, Hop>;
  /** Whether the log is there to its end. */
  readonly isWhole: boolean;
}

/** Reads a log of the script; whatever else is in it is passed over. */
export function parseReachReport(log: string): ReachReport {
  const hops = new Map<string, Hop>();
  for (const line of log.split('\n')) {
    const [, hop, verdict, detail = ''] = /\bsk-reach (\S+) (ok|failed|skipped)(?: (.*?))?\s*$/.exec(line) ?? [];
    if (hop !== undefined && (verdict === 'ok' || verdict === 'failed' || verdict === 'skipped'))
      hops.set(hop, { verdict, detail });
  }
  const resolvers = hops.get('resolver')?.detail ?? '';
  const isWhole = hops.delete('end');
  hops.delete('resolver');
  return { resolvers: resolvers.split(/\s+/).filter((one) => one !== ''), hops, isWhole };
}

/** Longer than an answer takes: the question was not answered at all. */
const slowSeconds = 4;

/** Of a name that was not resolved: whether nobody answered; else somebody said that there is none. */
export const wasSilent = ({ detail }: Hop): boolean => Number(/^after (\d+) s/.exec(detail)?.[1] ?? 0) >= slowSeconds;
