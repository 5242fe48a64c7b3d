import { Cron } from 'croner';

/** A parsed NCRONTAB expression. */
export interface TimerSchedule {
  /** First occurrence after the instant (milliseconds since 1970, UTC), or undefined when there is none. */
  nextAfter(atMs: number): number | undefined;
  /** Whether the last and next runs are remembered over restarts: not for schedules that fire more than once a minute. */
  readonly monitored: boolean;
}

/** The last field value of a field, in the order of a six-field expression. */
const FIELD_MAX = [59, 59, 23, 31, 12, 6];

/** NCRONTAB reads `5/15` as "from 5 to the field's end, every 15". */
function withRanges(field: string, index: number): string {
  return field.replaceAll(/(^|,)(\d+)\/(\d+)/g, (_match, lead: string, from: string, step: string) => {
    return `${lead}${from}-${FIELD_MAX[index] ?? from}/${step}`;
  });
}

/** Parses an NCRONTAB expression of six fields, or of five (second 0), in UTC. Throws a sentence for anything else. */
export function parseSchedule(expression: string): TimerSchedule {
  const fields = expression.trim().split(/\s+/);
  const six = fields.length === 5 ? ['0', ...fields] : fields;
  if (
    six.length !== 6 ||
    six.some((field) => !/^[\dA-Za-z*,/-]+$/.test(field) || /(^|,)(L|W|LW)(,|$)|\d[LW]/i.test(field))
  )
    throw new Error(`The schedule expression '${expression}' was not recognized as a valid cron expression.`);
  let cron: Cron;
  try {
    cron = new Cron(six.map(withRanges).join(' '), { mode: '6-part', domAndDow: true, timezone: 'UTC', paused: true });
  } catch (thrown) {
    throw new Error(`The schedule expression '${expression}' was not recognized as a valid cron expression.`, {
      cause: thrown,
    });
  }
  const nextAfter = (atMs: number): number | undefined => cron.nextRun(new Date(atMs))?.getTime();
  return { nextAfter, monitored: !firesOftenerThanMinutely(nextAfter) };
}

function firesOftenerThanMinutely(nextAfter: (atMs: number) => number | undefined): boolean {
  let at = nextAfter(0);
  for (let count = 0; count < 5 && at !== undefined; count += 1) {
    const following = nextAfter(at);
    if (following !== undefined && following - at < 60_000) return true;
    at = following;
  }
  return false;
}

/** What is remembered of a monitored timer over restarts; times in milliseconds since 1970. */
export interface TimerStatus {
  readonly lastMs: number;
  readonly nextMs: number;
  readonly lastUpdatedMs: number;
}

/** Faults to imitate: ticks that come late, and ticks that never come. */
export interface TimerFaults {
  /** Every tick comes this late. */
  readonly lateMs?: number | undefined;
  /** Every n-th tick is left out. */
  readonly missEvery?: number | undefined;
}

/** A run that is planned: when, for which occurrence, and whether it makes up for one that was missed while down. */
export interface PlannedRun {
  readonly atMs: number;
  readonly isPastDue: boolean;
}

export interface FirstRunInput {
  readonly schedule: TimerSchedule;
  readonly useMonitor: boolean;
  readonly runOnStartup: boolean;
  readonly status: TimerStatus | undefined;
  readonly nowMs: number;
}

/** The first run after a start: at once when a remembered occurrence has passed or `runOnStartup` is set, else the next occurrence. */
export function firstRun(input: FirstRunInput): PlannedRun | undefined {
  const { schedule, status, nowMs } = input;
  if (input.useMonitor && schedule.monitored && status !== undefined && status.nextMs < nowMs)
    return { atMs: nowMs, isPastDue: true };
  if (input.runOnStartup) return { atMs: nowMs, isPastDue: false };
  const next = schedule.nextAfter(nowMs);
  return next === undefined ? undefined : { atMs: next, isPastDue: false };
}

/**
 * The run after one that was due at `dueMs` and ended at `endedMs`. Runs never overlap; occurrences that passed meanwhile
 * become a single run at once, and the rhythm goes on from `startedMs`.
 */
export function runAfter(schedule: TimerSchedule, run: { startedMs: number; endedMs: number }): PlannedRun | undefined {
  const next = schedule.nextAfter(run.startedMs);
  return next === undefined ? undefined : { atMs: Math.max(next, run.endedMs), isPastDue: false };
}
