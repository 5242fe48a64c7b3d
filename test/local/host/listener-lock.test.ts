import { describe, expect, it } from 'vitest';
import { ListenerLock } from '../../../infra/local/host/listener-lock.ts';

const taken = (periodMs: number, pollMs: number): ListenerLock => {
  const lock = new ListenerLock({ periodMs, pollMs });
  lock.take(0);
  return lock;
};

describe('the lock of a timer', () => {
  it.each([
    { it: 'just after it was renewed', periodMs: 15_000, pollMs: 15_000, crashMs: 7500, waitMs: 15_000 },
    { it: 'just before it would be', periodMs: 15_000, pollMs: 15_000, crashMs: 14_999, waitMs: 15_000 },
    { it: 'with the defaults', periodMs: 60_000, pollMs: 60_000, crashMs: 31_000, waitMs: 60_000 },
    { it: 'with a poll that is shorter', periodMs: 60_000, pollMs: 15_000, crashMs: 30_000, waitMs: 60_000 },
    { it: 'with a poll that does not meet its end', periodMs: 60_000, pollMs: 15_000, crashMs: 31_000, waitMs: 60_000 },
    { it: 'with a poll that is longer', periodMs: 15_000, pollMs: 60_000, crashMs: 1000, waitMs: 60_000 },
  ])('keeps the next instance waiting after a crash $it', ({ periodMs, pollMs, crashMs, waitMs }) => {
    const lock = taken(periodMs, pollMs);
    lock.lose(crashMs);
    expect(lock.waitMs(crashMs)).toBe(waitMs);
    expect(lock.waitMs(crashMs + periodMs)).toBe(0);
  });

  it('is free at once when its holder ended in order', () => {
    const lock = taken(60_000, 60_000);
    lock.release();
    expect(lock.waitMs(1)).toBe(0);
  });

  it('is not lost by an instance that only waited for it', () => {
    const lock = taken(15_000, 15_000);
    lock.lose(1000);
    lock.lose(14_000);
    expect(lock.waitMs(15_000)).toBe(0);
  });
});
