import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latestTickMs, soonestTickMs } from '../../../shared/wire/relay-protocol/bounds.ts';
import { formatPodEventsAnswer, parsePodEventsAnswer } from '../../../shared/wire/relay-protocol/pod-events-answer.ts';

const noon = Date.parse('2026-11-23T12:00:00Z');
const names = fc.array(fc.stringMatching(/^[a-z][-a-z0-9]{0,20}[a-z0-9]$/), { maxLength: 4 });

describe('the answer to pod-events', () => {
  it('is read as it was written, whatever either clock says', () =>
    fc.assert(
      fc.property(
        fc.record({
          nextTickInMs: fc.integer({ min: soonestTickMs, max: latestTickMs }),
          unknownNodes: names,
          removedNodes: names,
        }),
        fc.date({ min: new Date('1990-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
        (answer, now) => {
          const body = JSON.stringify(formatPodEventsAnswer(answer, now.getTime()));
          expect(parsePodEventsAnswer(body)).toEqual(answer);
        },
      ),
    ));

  it.each([
    ['an hour ago', -3_600_000, soonestTickMs],
    ['in a month', 30 * 86_400_000, latestTickMs],
  ])('that asks for a tick %s is kept to the bounds', (_, inMs, kept) => {
    const nextTickAt = new Date(noon + inMs).toISOString();
    const body = JSON.stringify({ now: new Date(noon).toISOString(), nextTickAt });
    expect(parsePodEventsAnswer(body)).toEqual({ nextTickInMs: kept, unknownNodes: [], removedNodes: [] });
  });

  it('is understood by a relay and from an app of before the member had its name', () => {
    const older = { now: new Date(noon).toISOString(), nextLookAt: new Date(noon + 5_000).toISOString() };
    expect(parsePodEventsAnswer(JSON.stringify(older))?.nextTickInMs).toBe(5_000);
    expect(formatPodEventsAnswer({ nextTickInMs: 5_000, unknownNodes: [], removedNodes: [] }, noon)).toMatchObject(
      older,
    );
  });

  it.each(['<html>', '', '{}', '[]', 'null', '{"now":"x","nextTickAt":"y"}'])('%j is none', (body) =>
    expect(parsePodEventsAnswer(body)).toBeUndefined(),
  );
});
