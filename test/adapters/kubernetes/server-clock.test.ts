import { describe, expect, it } from 'vitest';
import { createServerClock } from '../../../shared/adapters/kubernetes/server-clock.ts';

const noon = 'Mon, 23 Nov 2026 12:00:00 GMT';
const noonMs = Date.parse(noon);

describe('the API server’s time', () => {
  it('is unknown before the first answer, and after headers that are no date', () => {
    const clock = createServerClock(() => 0);
    clock.observe(undefined);
    clock.observe('soon');
    expect(clock.now()).toBeUndefined();
  });

  it('goes on by the monotonic clock', () => {
    let elapsed = 50;
    const clock = createServerClock(() => elapsed);
    clock.observe(noon);
    elapsed += 1234;
    expect(clock.now()).toBe(noonMs + 1234);
  });

  it('does not go back when a header, cut to seconds, is behind the estimate', () => {
    let elapsed = 0;
    const clock = createServerClock(() => elapsed);
    clock.observe(noon);
    elapsed = 900;
    clock.observe(noon);
    expect(clock.now()).toBe(noonMs + 900);
  });

  it('follows a server ahead of the estimate, and one that was set back', () => {
    const clock = createServerClock(() => 0);
    clock.observe(noon);
    clock.observe('Mon, 23 Nov 2026 12:00:10 GMT');
    expect(clock.now()).toBe(noonMs + 10_000);
    clock.observe(noon);
    expect(clock.now()).toBe(noonMs);
  });
});
