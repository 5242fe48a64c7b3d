/** Whether sessions of ACI's are reached: by the app, by the relay, and what `doctor` reads of both. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSessionDial } from '../../shared/adapters/sessions/dial.ts';
import { parseBothDials } from '../../shared/wire/relay-protocol/session-dial.ts';
import { StreamRig, authorityPem } from '../relay/stream-rig.ts';

const { signal } = new AbortController();
const wish = { kind: 'attach', terminalSize: undefined, farEnds: [] } as const;

let rig: StreamRig;
beforeEach(async () => {
  rig = await StreamRig.open({ times: { connectMs: 2_000 } });
});
afterEach(() => rig.close());

describe('the app', () => {
  const dial = createSessionDial({ certificateAuthorityPem: authorityPem });
  const session = () => rig.aci.session(wish) ?? expect.fail('no session');

  it('connects, starts nothing, and leaves', async () => {
    expect(await dial(session(), signal)).toEqual({ ok: true, value: undefined });
    await expect.poll(() => rig.aci.connected).toBe(0);
    expect([rig.aci.running, rig.aci.strangers]).toEqual([0, 0]);
  });

  it.each([
    [
      'nobody at the port',
      () => ({ ...session(), webSocketUri: 'wss://127.0.0.1:1/logstream/x' }),
      signal,
      /at 127\.0\.0\.1:1 \(ECONNREFUSED\): a security group or firewall must let the function app out to TCP port 1$/,
    ],
    [
      'a name that is none',
      () => ({ ...session(), webSocketUri: 'wss://no.invalid:19390/' }),
      signal,
      /no\.invalid:19390 \((ENOTFOUND|EAI_AGAIN)\): the name does not resolve where the app runs$/,
    ],
    [
      'what is no address',
      () => ({ ...session(), webSocketUri: 'nonsense' }),
      signal,
      /^Azure gave a session that can not be connected to$/,
    ],
    ['no time left', session, AbortSignal.abort(), /timed out/],
  ])('%s is a sentence', async (_, given, until, words) => {
    expect(await dial(given(), until)).toMatchObject({
      ok: false,
      fault: { kind: 'transient', message: expect.stringMatching(words) },
    });
  });

  it('a server of another authority is not spoken to', async () => {
    const strict = createSessionDial({});
    expect(await strict(session(), signal)).toMatchObject({ ok: false, fault: { kind: 'transient' } });
    expect(rig.aci.connected).toBe(0);
  });

  it('a refusal of the upgrade is no way in', async () => {
    rig.aci.behaviour = { kind: 'refused', status: 403 };
    expect(await dial(session(), signal)).toMatchObject({
      ok: false,
      fault: { message: expect.stringContaining('Unexpected server response: 403') },
    });
  });
});

describe('the relay, asked by doctor', () => {
  const ask = (path = '/sessionDial/ns/p/c') => rig.call(path, 'GET');
  const both = async () => parseBothDials((await ask()).body);

  it('says what both have found', async () => {
    expect(await ask()).toMatchObject({ status: 200 });
    expect(await both()).toEqual({ app: { reached: true }, relay: { reached: true } });
    expect(rig.asked[0]?.size).toBeUndefined();
    await expect.poll(() => rig.aci.connected).toBe(0);
  });

  it.each([
    ['{"reached":false,"message":"the app could not connect"}', 200, 'the app could not connect'],
    [
      '{"error":{"code":"TooManyRequests","message":"later"}}',
      429,
      'the function app answered 429: TooManyRequests later',
    ],
    ['', 404, 'the function app answered 404:'],
    ['garbage', 200, 'the function app answered 200:'],
  ])('of the app: %s', async (body, status, message) => {
    rig.set({ dial: { kind: 'answer', status, body, retryAfterMs: undefined } });
    expect(await both()).toEqual({ app: { reached: false, message }, relay: { reached: true } });
  });

  it('an app that can not be reached, and a session that the relay does not get', async () => {
    rig.set({ dial: { kind: 'unreachable', message: 'ETIMEDOUT' } });
    rig.aci.behaviour = { kind: 'refused', status: 503 };
    expect(await both()).toEqual({
      app: { reached: false, message: 'the function app could not be reached: ETIMEDOUT' },
      relay: { reached: false, message: expect.stringContaining('the relay could not connect') },
    });
  });

  it('needs a container that runs, and the right to it', async () => {
    expect(await ask('/sessionDial/ns/other/c')).toMatchObject({ status: 404 });
    expect(await ask('/sessionDial/ns/p/starting')).toMatchObject({ status: 400 });
    expect(await ask('/sessionDial/ns/p/x')).toMatchObject({ status: 404 });
    expect(await rig.call('/sessionDial/ns/p/c', 'GET', 'nobody')).toMatchObject({ status: 403 });
    expect(rig.asked).toEqual([]);
  });
});
