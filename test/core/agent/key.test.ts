import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { agentTags, readAgentTags } from '../../../shared/core/agent/agent-tags.ts';
import {
  agentKey,
  agentNonce,
  firstRoot,
  rotated,
  signature,
  verifySignature,
} from '../../../shared/core/agent/key.ts';
import type { SignedBody } from '../../../shared/core/agent/key.ts';
import { formatRootKeys, parseRootKeys } from '../../../shared/wire/agent-settings.ts';

const root = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');
const scope = { podUid: '0d7c3c5e-8e35-4b0c-8d6a-64c3f8f0b1aa', nonce: 'AAECAwQFBgcICQoLDA0ODw' };
const keys = firstRoot(root);
const body = Buffer.from('{"number":1}');

const signed = (more: Partial<SignedBody> = {}): SignedBody => ({
  ...scope,
  kid: keys.current,
  body,
  authorization: signature(agentKey(root, scope), body),
  ...more,
});

describe("an agent's key", () => {
  it('is HKDF-SHA256 of the root, for pod and PUT: groups that run must know it in every later version', () => {
    const info = '["serverless-kubelet agent 1","0d7c3c5e-8e35-4b0c-8d6a-64c3f8f0b1aa","AAECAwQFBgcICQoLDA0ODw"]';
    expect(agentKey(root, scope)).toEqual(Buffer.from(hkdfSync('sha256', root, '', info, 32)));
    expect(agentKey(root, scope).toString('hex')).toBe(
      'cecf65841307354507864f15d652a58ad06b9f8c44007ed70039396e385d45f1',
    );
    expect(keys.current).toBe('rb2cfa3e89c');
  });

  it('is another one for another pod, PUT or root, and no two pairs are taken for each other', () => {
    const of = (podUid: string, nonce: string, from = root): string =>
      agentKey(from, { podUid, nonce }).toString('hex');
    const all = [
      of('a', 'b'),
      of('ab', ''),
      of('', 'ab'),
      of('a","b', ''),
      of('a', 'c'),
      of('a', 'b', randomBytes(32)),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('a signature', () => {
  it('is HMAC-SHA256 over the body, as the agent writes it', () => {
    const mac = createHmac('sha256', agentKey(root, scope)).update(body).digest('hex');
    expect(signed().authorization).toBe(`SK-HMAC-SHA256 ${mac}`);
    expect(verifySignature(keys, signed())).toEqual({ ok: true });
  });

  it.each<[string, Partial<SignedBody>, string]>([
    ['no header', { authorization: undefined }, 'unsigned'],
    ['an empty header', { authorization: '' }, 'unsigned'],
    ['another scheme', { authorization: `Bearer ${'a'.repeat(64)}` }, 'unsigned'],
    ['capital letters', { authorization: signed().authorization?.toUpperCase() }, 'unsigned'],
    ['a signature that was cut', { authorization: signed().authorization?.slice(0, -1) }, 'unsigned'],
    ['a signature with more behind it', { authorization: `${signed().authorization}00` }, 'unsigned'],
    ['a root that is not there', { kid: 'r0' }, 'unknown-key'],
    ['a root by a name of Object', { kid: 'constructor' }, 'unknown-key'],
    ['another pod', { podUid: 'other' }, 'forged'],
    ['an older PUT', { nonce: 'older' }, 'forged'],
    ['other bytes', { body: Buffer.from('{"number":2}') }, 'forged'],
    ['zeros', { authorization: `SK-HMAC-SHA256 ${'0'.repeat(64)}` }, 'forged'],
  ])('is refused: %s', (_, change, reason) => {
    expect(verifySignature(keys, signed(change))).toEqual({ ok: false, reason });
  });

  it('is taken by a former root as long as it is there', () => {
    const later = rotated(keys, randomBytes(32), new Set());
    expect(verifySignature(later, signed())).toEqual({ ok: true });
    const gone = rotated(rotated(later, randomBytes(32), new Set()), randomBytes(32), new Set());
    expect(verifySignature(gone, signed())).toEqual({ ok: false, reason: 'unknown-key' });
  });
});

describe('roots of keys', () => {
  it('keep at a rotation the one before and those that groups name', () => {
    const [one, two, three, four] = [keys, ...[1, 2, 3].map((n) => firstRoot(Buffer.alloc(32, n)))];
    const all = { current: three?.current ?? '', roots: { ...one?.roots, ...two?.roots, ...three?.roots } };
    const next = rotated(all, Buffer.alloc(32, 3), new Set([one?.current ?? '', 'unknown']));
    expect(next.current).toBe(four?.current);
    expect(Object.keys(next.roots)).toEqual([four?.current, one?.current, three?.current]);
  });

  it('are the same when they are read again', () => {
    const all = rotated(keys, randomBytes(32), new Set());
    expect(parseRootKeys(formatRootKeys(all))).toEqual(all);
  });

  it.each([
    '',
    '{}',
    '{"current":"a","roots":{}}',
    '{"current":"a","roots":{"a":"c2hvcnQ="}}',
    '{"current":"A b","roots":{"A b":""}}',
  ])('are none: %s', (text) => expect(parseRootKeys(text)).toBeUndefined());

  it('are of 32 bytes, a nonce of 16', () => {
    expect(() => firstRoot(Buffer.alloc(31))).toThrow('32 random bytes');
    expect(() => agentNonce(Buffer.alloc(17))).toThrow('16 random bytes');
    expect(agentNonce(root.subarray(0, 16))).toBe(scope.nonce);
  });
});

describe("a group's tags", () => {
  const tags = { digest: `sha256:${'a'.repeat(64)}`, kid: keys.current, nonce: scope.nonce };
  it('say which agent it has and where its key is from', () => {
    expect(readAgentTags(agentTags(tags))).toEqual(tags);
    for (const value of Object.values(agentTags(tags))) expect(value.length).toBeLessThanOrEqual(256);
  });
  it.each([
    {},
    { 'serverless-kubelet-agent': 'sha256:a' },
    { 'serverless-kubelet-agent': 'sha256:a', 'serverless-kubelet-agent-key': 'r' },
    { 'serverless-kubelet-agent-key': 'r/n' },
  ])('of a group without one say nothing: %o', (none) => expect(readAgentTags(none)).toBeUndefined());
});
