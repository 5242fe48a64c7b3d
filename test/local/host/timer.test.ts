import { assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TimerFunction } from '../../../infra/local/host/definitions.ts';
import type { RetryContext, TypedData } from '../../../infra/local/host/protocol.ts';
import { TimerListener } from '../../../infra/local/host/timer-listener.ts';
import type { TimerClock } from '../../../infra/local/host/timer-listener.ts';
import { firstRun, parseSchedule, runAfter } from '../../../infra/local/host/timer-schedule.ts';
import type { TimerFaults, TimerStatus } from '../../../infra/local/host/timer-schedule.ts';
import type { InvocationOutcome } from '../../../infra/local/host/worker-process.ts';

const at = (iso: string): number => Date.parse(iso);
const NOON = at('2026-01-01T12:00:00Z');

/** A clock that moves only when it is moved. */
class VirtualClock implements TimerClock {
  #now = NOON;
  #waits: { dueMs: number; callback: () => void }[] = [];

  nowMs(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const wait = { dueMs: this.#now + ms, callback };
    this.#waits.push(wait);
    return () => {
      this.#waits = this.#waits.filter((other) => other !== wait);
    };
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      const next = this.#waits.filter(({ dueMs }) => dueMs <= end).sort((left, right) => left.dueMs - right.dueMs)[0];
      if (next === undefined) {
        this.#now = end;
        return;
      }
      this.#waits = this.#waits.filter((wait) => wait !== next);
      this.#now = Math.max(this.#now, next.dueMs);
      next.callback();
    }
  }
}

describe('a schedule', () => {
  it.each([
    ['every ten seconds', '*/10 * * * * *', '2026-01-01T00:00:10Z'],
    ['five fields begin at second 0', '*/5 * * * *', '2026-01-01T00:05:00Z'],
    ['from a value on', '5/20 * * * * *', '2026-01-01T00:00:25Z'],
    ['day and weekday both hold', '0 0 0 13 * FRI', '2026-02-13T00:00:00Z'],
    ['a weekday by name', '0 0 0 * * WED', '2026-01-07T00:00:00Z'],
    ['a range', '0 0 9-17 * * *', '2026-01-01T09:00:00Z'],
  ])('%s', (_sentence, expression, next) => {
    expect(parseSchedule(expression).nextAfter(at('2026-01-01T00:00:07Z'))).toBe(at(next));
  });

  it.each(['', '* * * *', '* * * * * * *', '0 0 0 L * *', '61 * * * * *', '00:01:00', '@hourly', '%NAME% * * * * *'])(
    'is not "%s"',
    (expression) => {
      expect(() => parseSchedule(expression)).toThrow(/not recognized/);
    },
  );

  it('that never comes has no next run', () => {
    expect(parseSchedule('0 0 0 30 2 *').nextAfter(NOON)).toBeUndefined();
  });

  it.each([
    ['*/10 * * * * *', false],
    ['0 * * * * *', true],
    ['0,30 0 12 * * *', false],
    ['0 0 0 * * *', true],
  ])('%s is monitored: %s', (expression, monitored) => {
    expect(parseSchedule(expression).monitored).toBe(monitored);
  });
});

describe('the first run after a start', () => {
  const minutely = parseSchedule('0 * * * * *');
  const status = (nextMs: number): TimerStatus => ({ lastMs: 0, nextMs, lastUpdatedMs: 0 });
  const base = { schedule: minutely, useMonitor: true, runOnStartup: false, status: undefined, nowMs: NOON + 1000 };

  it.each([
    ['is the next occurrence', base, NOON + 60_000, false],
    ['is now when one was missed while down', { ...base, status: status(NOON) }, NOON + 1000, true],
    ['is the next occurrence when none was missed', { ...base, status: status(NOON + 60_000) }, NOON + 60_000, false],
    [
      'knows of no missed one without monitor',
      { ...base, useMonitor: false, status: status(NOON) },
      NOON + 60_000,
      false,
    ],
    ['is now with runOnStartup', { ...base, runOnStartup: true }, NOON + 1000, false],
    [
      'knows of no missed one when it fires oftener than minutely',
      { ...base, schedule: parseSchedule('*/10 * * * * *'), status: status(NOON) },
      NOON + 10_000,
      false,
    ],
  ])('%s', (_sentence, input, atMs, isPastDue) => {
    expect(firstRun(input)).toEqual({ atMs, isPastDue });
  });
});

it('the next run is never before the end of the last one, and at most one is made up', () => {
  const schedule = parseSchedule('*/10 * * * * *');
  assert(
    property(integer({ min: 0, max: 100_000 }), integer({ min: 0, max: 100_000 }), (startOffset, lasted) => {
      const startedMs = NOON + startOffset;
      const endedMs = startedMs + lasted;
      const next = runAfter(schedule, { startedMs, endedMs });
      expect(next?.atMs).toBeGreaterThanOrEqual(endedMs);
      expect(next?.atMs).toBeGreaterThan(startedMs);
      expect(next?.atMs).toBeLessThanOrEqual(Math.max(endedMs, startedMs + 10_000));
    }),
  );
});

interface Run {
  readonly second: number;
  readonly input: unknown;
  readonly retryContext: RetryContext | undefined;
}

interface Setup {
  readonly definition?: Partial<TimerFunction>;
  readonly schedule?: string;
  readonly lastsMs?: (run: number) => number;
  readonly outcome?: InvocationOutcome;
  readonly faults?: TimerFaults;
  readonly status?: Map<string, TimerStatus>;
}

function listen(setup: Setup): { runs: Run[]; clock: VirtualClock; listener: TimerListener } {
  const clock = new VirtualClock();
  const runs: Run[] = [];
  const listener = new TimerListener({
    definition: {
      kind: 'timer',
      name: 't',
      schedule: '',
      runOnStartup: false,
      useMonitor: true,
      retry: undefined,
      ...setup.definition,
    },
    schedule: parseSchedule(setup.schedule ?? '*/10 * * * * *'),
    clock,
    faults: () => setup.faults ?? {},
    status: setup.status ?? new Map(),
    invoke: async (data: TypedData, retryContext) => {
      runs.push({
        second: (clock.nowMs() - NOON) / 1000,
        input: 'json' in data ? JSON.parse(data.json) : data,
        retryContext,
      });
      const lastsMs = setup.lastsMs?.(runs.length) ?? 0;
      await new Promise<void>((resolve) => clock.after(lastsMs, resolve));
      return setup.outcome ?? { kind: 'succeeded', returnValue: undefined };
    },
  });
  listener.start();
  return { runs, clock, listener };
}

describe('a timer', () => {
  const seconds = (runs: Run[]): number[] => runs.map(({ second }) => second);

  it.each<[string, Setup, number[]]>([
    ['runs at each occurrence', {}, [10, 20, 30, 40, 50, 60]],
    ['makes up for missed ticks once, at once', { lastsMs: (run) => (run === 1 ? 25_000 : 0) }, [10, 35, 40, 50, 60]],
    [
      'goes on after a failure',
      { outcome: { kind: 'failed', failure: { message: '', stackTrace: '' } } },
      [10, 20, 30, 40, 50, 60],
    ],
    ['can be late', { faults: { lateMs: 3000 } }, [13, 23, 33, 43, 53]],
    ['can miss every third tick', { faults: { missEvery: 3 } }, [10, 20, 40, 50]],
  ])('%s', async (_sentence, setup, expected) => {
    const { runs, clock } = listen(setup);
    await clock.advance(60_000);
    expect(seconds(runs)).toEqual(expected);
  });

  it('stops', async () => {
    const { runs, clock, listener } = listen({});
    await clock.advance(15_000);
    listener.stop();
    await clock.advance(60_000);
    expect(seconds(runs)).toEqual([10]);
  });

  it('repeats a failed run as its policy says, and reports the handler', async () => {
    const { runs, clock } = listen({
      schedule: '0 * * * * *',
      outcome: { kind: 'failed', failure: { message: 'no', stackTrace: 'at' } },
      definition: { retry: { maxRetryCount: 2, delayMs: () => 2000 } },
    });
    await clock.advance(70_000);
    expect(seconds(runs)).toEqual([60, 62, 64]);
    expect(runs.map(({ retryContext }) => retryContext?.retryCount)).toEqual([undefined, 1, 2]);
    expect(runs[1]?.retryContext?.exception.message).toBe('no');
  });

  it('remembers its runs when it is monitored: the next process makes up for the missed one', async () => {
    const status = new Map<string, TimerStatus>();
    const first = listen({ schedule: '0 * * * * *', status });
    await first.clock.advance(61_000);
    first.listener.stop();
    status.set('t', { lastMs: NOON - 90_000, nextMs: NOON - 30_000, lastUpdatedMs: NOON - 90_000 });
    const second = listen({ schedule: '0 * * * * *', status });
    await second.clock.advance(1000);
    expect(first.runs[0]?.input).toEqual({ Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false });
    expect(second.runs[0]?.input).toMatchObject({
      IsPastDue: true,
      ScheduleStatus: { Next: '2026-01-01T11:59:30.000Z' },
    });
  });
});
