import { describe, expect, it } from 'vitest';
import type { ObservedState } from '../../../shared/core/group/group.ts';
import { withStartFailure } from '../../../shared/core/status/start-failure.ts';

const why = 'runc: exec: "nope": executable file not found in $PATH';
const event = (name: string, message: string) => ({
  name,
  message,
  type: 'Warning',
  count: 1,
  firstTimestamp: '2026-11-23T11:00:00Z',
  lastTimestamp: '2026-11-23T11:00:00Z',
});
const failed = [event('Failed', `Error: Failed to start container main, Error response: ${why}`)];
const ended = (more: Partial<ObservedState> = {}): ObservedState => ({
  state: 'Terminated',
  exitCode: 128,
  detailStatus: 'Error',
  ...more,
});

describe('a container whose program never began', () => {
  it('has the runtime’s words, of the last try', () => {
    const earlier = event('Failed', 'Error: Failed to start container main, Error response: another');
    expect(withStartFailure(ended(), [earlier, ...failed]).detailStatus).toBe(`StartError: ${why}`);
  });
  it.each([
    ['it has begun', ended({ startTime: '2026-11-23T11:00:00Z' }), failed],
    ['it ended well', ended({ exitCode: 0 }), failed],
    ['ACI says why itself', ended({ detailStatus: 'OOMKilled' }), failed],
    ['an agent has said why', ended({ reported: { reason: 'StartError', message: 'm' } }), failed],
    [
      'there is no such event',
      ended(),
      [event('Failed', 'Failed to pull image "x"'), event('Started', 'Started container')],
    ],
  ])('nothing is added where %s', (_, state, events) => expect(withStartFailure(state, events)).toBe(state));
});
