import { describe, expect, it } from 'vitest';
import { postOutcome } from '../../infra/cluster/relay/app/post-outcome.ts';

const answer = (status: number, body = '', retryAfterMs?: number) =>
  postOutcome({ kind: 'answer', status, body, retryAfterMs });
const taken = (now: string, nextLookAt: string) => answer(200, JSON.stringify({ now, nextLookAt, unknownNodes: [] }));

describe("the app's answer to a post", () => {
  it('measures the next poll against the time in the same answer, whatever our clock says', () => {
    expect(taken('1999-01-01T00:00:00.000Z', '1999-01-01T00:00:12.500Z')).toMatchObject({ nextTickInMs: 12_500 });
  });
  it.each([
    ['sooner than a second is a second', '2026-01-01T00:00:00Z', 1000],
    ['later than half a minute is half a minute', '2026-01-01T01:00:00Z', 30_000],
  ])('%s', (_what, at, ms) => expect(taken('2026-01-01T00:00:00Z', at)).toMatchObject({ nextTickInMs: ms }));

  it.each([[400], [404], [413], [415], [422]])('%i is refused for good', (status) =>
    expect(answer(status)).toEqual({ kind: 'refused', status }),
  );
  it.each([[401], [403], [408], [429], [500], [502], [503], [504], [301]])('%i is posted again', (status) =>
    expect(answer(status)).toMatchObject({ kind: 'again' }),
  );
  it('waits as long as it is reported', () => expect(answer(503, '', 9000)).toMatchObject({ retryAfterMs: 9000 }));
  it.each([['<html>'], ['{}'], [''], ['{"now":"x","nextLookAt":"y"}']])('200 with %j was nobody who took it', (body) =>
    expect(answer(200, body)).toMatchObject({ kind: 'again' }),
  );
  it('no answer is posted again', () =>
    expect(postOutcome({ kind: 'unreachable', message: 'ECONNRESET' })).toMatchObject({ kind: 'again' }));
});
