import { describe, expect, it } from 'vitest';
import { judgeSessionDial, parseRunningContainer } from '../../../infra/cli/inspect/session-dial.ts';
import { read, unreadable } from '../../../infra/cli/inspect/observed.ts';

const pod = (name: string, ...states: readonly object[]): object => ({
  metadata: { name, namespace: 'ns' },
  status: { containerStatuses: states.map((state, index) => ({ name: `c${index}`, state })) },
});
const running = { running: { startedAt: '2026-11-23T11:00:00Z' } };
const ended = { terminated: { exitCode: 0 } };

describe('the container that sessions are tried with', () => {
  it.each([
    [
      'the first that runs',
      { items: [pod('a', ended), pod('b', ended, running)] },
      { namespace: 'ns', pod: 'b', container: 'c1' },
    ],
    ['none', { items: [pod('a', ended)] }, undefined],
    ['no list', { kind: 'Status' }, undefined],
  ])('%s', (_, json, found) => expect(parseRunningContainer(json)).toEqual(found));
});

describe('what doctor says of the way to sessions', () => {
  const judged = (answer: Parameters<typeof judgeSessionDial>[1]): readonly string[] =>
    judgeSessionDial('sessions', answer).map(({ verdict, name, found }) => `${verdict} ${name}: ${found}`);

  it.each([
    [
      read('{"app":{"reached":true},"relay":{"reached":true}}'),
      [
        "ok sessions: relay: The relay reaches ACI's sessions: exec, attach and port-forward work.",
        "ok sessions: app: The app reaches ACI's sessions: words to agents arrive.",
      ],
    ],
    [
      read(
        '{"app":{"reached":false,"message":"the app could not connect"},"relay":{"reached":false,"message":"no way"}}',
      ),
      ['failed sessions: relay: No way.', 'failed sessions: app: The app could not connect.'],
    ],
    [read('404 page not found'), ['skipped sessions: The relay is of an older release.']],
    [unreadable('You may not get nodes/proxy.'), ['skipped sessions: You may not get nodes/proxy.']],
  ])('%o', (answer, said) => expect(judged(answer)).toEqual(said));
});
