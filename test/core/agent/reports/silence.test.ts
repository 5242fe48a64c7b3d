import { describe, expect, it } from 'vitest';
import { whySilent } from '../../../../shared/core/agent/reports/silence.ts';
import { fail, ok } from '../../../../shared/core/fault.ts';
import type { Fault } from '../../../../shared/core/fault.ts';

const said = (lastFault?: string) =>
  whySilent(ok({ ok: true, status: { bootId: 'b', phase: 'running', ...(lastFault !== undefined && { lastFault }) } }));

describe('why nobody hears an agent', () => {
  it.each<[string, RegExp]>([
    ['dial tcp: lookup app.example: no such host', /^the app's name is not resolved in the group: .+no such host\)$/],
    ['dial tcp: lookup app.example on 10.0.0.10:53: read udp: i/o timeout', /^the app's name is not resolved/],
    [
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
      /certificate that is not trusted/,
    ],
    ['the app answered 401 Unauthorized', /does not take its key/],
    ['the app answered 403 Forbidden', /^something before the app refuses it/],
    ['the app answered 404 Not Found', /APP_URL/],
    ['the app answered 503 Service Unavailable', /does not answer, or is overloaded/],
    ['dial tcp 20.1.2.3:443: i/o timeout', /^the group reaches nothing outside/],
    ['dial tcp 20.1.2.3:443: connect: network is unreachable', /NAT gateway/],
    ['something new', /^its last report failed: something new$/],
  ])('%s', (fault, why) => expect(said(fault)).toMatch(why));

  it('is shown on one line, and is no novel', () => {
    const why = said(`a\nb\u001b[31m${'x'.repeat(5000)}`);
    expect(/\p{Cc}/u.test(why)).toBe(false);
    expect(why.length).toBeLessThan(400);
  });

  it('is the address of the app where its reports are answered', () => expect(said()).toContain('APP_URL'));

  it.each<[string, Fault, RegExp]>([
    ['it is not there', { kind: 'rejected', code: 'AgentMissing', message: 'm' }, /^the agent is not in the container/],
    ['something else speaks', { kind: 'rejected', code: 'AgentSilent', message: 'm' }, /^it could not be asked why/],
    ['ARM is busy', { kind: 'throttled', retryAfterMs: 1, message: 'busy' }, /^it could not be asked why \(busy\)$/],
  ])('where %s', (_, fault, why) => expect(whySilent(fail(fault))).toMatch(why));

  it('where the agent refuses', () =>
    expect(whySilent(ok({ ok: false, message: 'no agent' }))).toBe('it could not be asked why (no agent)'));
});
