import { array, assert, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { random } from '../../../infra/local/sim/time/chance.ts';
import { EventQueue } from '../../../infra/local/sim/time/event-queue.ts';
import { createProcessClock } from '../../../infra/local/sim/time/process-clock.ts';
import { Scheduler } from '../../../infra/local/sim/time/scheduler.ts';

describe('the queue of events', () => {
  it('gives the earliest first, and of one time what was added first', () => {
    assert(
      property(array(nat(9)), nat(9), (times, until) => {
        const queue = new EventQueue<number>();
        times.forEach((at, index) => queue.add(at, index));
        const due = times.map((at, index) => ({ at, index })).filter(({ at }) => at <= until);
        expect([...queue.takeAll(until)]).toEqual(due.toSorted((a, b) => a.at - b.at).map(({ index }) => index));
        expect(queue.size).toBe(times.length - due.length);
        expect(queue.nextAt).toBe(Math.min(Infinity, ...times.filter((at) => at > until)));
      }),
    );
  });
});

describe('virtual time', () => {
  it('runs from event to event, and settles the promises of each before the next', async () => {
    const scheduler = new Scheduler(100);
    const reported: string[] = [];
    const tell = (word: string): void => void reported.push(`${word} at ${scheduler.now}`);
    scheduler.in(20, () => tell('second'));
    scheduler.in(10, () => {
      tell('first');
      void Promise.resolve()
        .then(() => undefined)
        .then(() => tell('settled'));
    });
    scheduler.at(50, () => tell('what has passed'));
    void scheduler.sleep(40).then(() => tell('too late'));
    await scheduler.run(130);
    expect(reported).toEqual(['what has passed at 100', 'first at 110', 'settled at 110', 'second at 120']);
    expect(scheduler.now).toBe(130);
  });

  it('an event that throws ends the run', async () => {
    const scheduler = new Scheduler(0);
    scheduler.in(1, () => {
      throw new Error('a bug');
    });
    await expect(scheduler.run(2)).rejects.toThrow('a bug');
  });

  it('jumps, and what is due by then happens at once', () => {
    const scheduler = new Scheduler(0);
    const [early, late] = [scheduler.timeout(10), scheduler.timeout(31)];
    scheduler.now = 30;
    expect([early.aborted, late.aborted]).toEqual([true, false]);
    expect(early.reason).toMatchObject({ name: 'TimeoutError' });
    scheduler.now = 31;
    expect(late.aborted).toBe(true);
  });

  it('a process may know it wrong, and its monotonic clock goes on from anywhere', () => {
    const scheduler = new Scheduler(1_000);
    const exact = createProcessClock(scheduler);
    const skewed = createProcessClock(scheduler, { skewMs: -300, monotonicStart: 7 });
    scheduler.now = 1_050;
    expect([exact.wallMs(), exact.monotonicMs(), skewed.wallMs(), skewed.monotonicMs()]).toEqual([1050, 1050, 750, 57]);
  });
});

describe('chance', () => {
  it('is the same for the same seed', () => {
    const next = random(7);
    expect([next(), next(), random(7)()].map((number) => number.toFixed(6))).toEqual([
      '0.011705',
      '0.061958',
      '0.011705',
    ]);
  });
});
