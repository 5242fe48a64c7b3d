import { describe, expect, it } from 'vitest';
import {
  formatStreamAnswer,
  isStreamUri,
  parseStreamAnswer,
  parseStreamRequest,
} from '../../../shared/wire/relay-protocol/stream-session.ts';

const session = {
  webSocketUri: 'wss://a.westus.atlas.cloudapp.azure.com:19390/execstream/sessionId/1?api-version=1.0&rows=24',
  password: '9Nrd>l[y!…[[EOM]]',
  farEnd: 'shell',
} as const;

describe('a session that the app hands to the relay', () => {
  it('arrives as it was sent', () => {
    expect(parseStreamAnswer(JSON.stringify(formatStreamAnswer(session)))).toEqual(session);
  });

  it.each([
    ['', 'nothing'],
    ['<html>', 'a page'],
    ['{}', 'an empty object'],
    [JSON.stringify({ ...session, webSocketUri: 'ws://a.test' }), 'one without TLS'],
    [JSON.stringify({ ...session, webSocketUri: 'wss://user@a.test' }), 'one with a user in it'],
    [JSON.stringify({ ...session, password: undefined }), 'one without a password'],
    [JSON.stringify({ ...session, farEnd: 'agent-9' }), 'one with a far end that this relay does not know'],
  ])('%j: %s, is none', (body) => {
    expect(parseStreamAnswer(body)).toBeUndefined();
  });

  it.each([
    ['wss://a.test', true],
    ['wss://10.0.0.4:19390/x?y=%20z', true],
    ['WSS://a.test/', true],
    ['wss:a.test', true],
    ['wss://', false],
    ['https://a.test', false],
    ['wss://a.test:99999', false],
    ['a.test', false],
  ])('%j is a place to dial: %s', (uri, isOne) => {
    expect(isStreamUri(uri)).toBe(isOne);
  });
});

it.each([
  ['{"terminalSize":{"columns":80,"rows":24}}', { terminalSize: { columns: 80, rows: 24 } }],
  ['{"terminalSize":{"columns":1000,"rows":1}}', { terminalSize: { columns: 1000, rows: 1 } }],
  ['{"terminalSize":{"columns":80.5,"rows":24}}', undefined],
  ['{"terminalSize":{"columns":80}}', undefined],
  ['[]', undefined],
])('the size of a terminal %s is %j', (body, expected) => {
  expect(parseStreamRequest(body)).toEqual(expected);
});
