import { describe, expect, it } from 'vitest';
import { answerFault, retryAfterMs, thrownFault } from '../../../shared/adapters/arm/arm-faults.ts';
import type { ArmAction, ArmAnswer } from '../../../shared/adapters/arm/arm-faults.ts';

const answer = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): ArmAnswer => ({
  status,
  body,
  header: (name) => headers[name],
});
const error = (code: string, message = 'Why.') => JSON.stringify({ error: { code, message } });

describe('faults of ARM', () => {
  it.each<[action: ArmAction, status: number, body: string, kind: string, code: string | undefined]>([
    // Capacity, whatever the status.
    ['create', 409, error('ServiceUnavailable'), 'capacity', 'ServiceUnavailable'],
    ['create', 503, error('ServiceUnavailable'), 'transient', undefined],
    ['create', 400, error('ContainerGroupQuotaReached'), 'capacity', 'ContainerGroupQuotaReached'],
    ['create', 409, error('containergroupquotareached'), 'capacity', 'ContainerGroupQuotaReached'],
    ['create', 409, error('InsufficientCapacity.'), 'capacity', 'InsufficientCapacity'],
    ['create', 400, error('SubnetIsFull'), 'capacity', 'SubnetIsFull'],
    ['create', 429, error('RetryableError'), 'throttled', undefined],
    // The world is in another state.
    ['create', 409, error('ContainerGroupTransitioning'), 'conflict', 'ContainerGroupTransitioning'],
    ['delete', 409, error('ContainerGroupTransitioning'), 'conflict', 'ContainerGroupTransitioning'],
    ['create', 409, error('RegistryErrorResponse'), 'conflict', 'RegistryErrorResponse'],
    ['create', 400, error('RegistryErrorResponse'), 'conflict', 'RegistryErrorResponse'],
    ['create', 409, error('InvalidResourceLocation'), 'conflict', 'InvalidResourceLocation'],
    // Gone: only by the codes that mean it.
    ['get', 404, error('ResourceNotFound'), 'not-found', 'ResourceNotFound'],
    ['get', 404, error('ResourceGroupNotFound'), 'not-found', 'ResourceGroupNotFound'],
    ['delete', 404, error('ResourceGroupNotFound'), 'not-found', 'ResourceGroupNotFound'],
    ['get', 404, error('SubscriptionNotFound'), 'denied', 'SubscriptionNotFound'],
    ['get', 404, '<html>no such page</html>', 'transient', undefined],
    ['get', 404, '', 'transient', undefined],
    ['get', 404, error('SomethingElse'), 'transient', undefined],
    ['logs', 404, error('ContainerLogNotAvailable'), 'not-found', 'ContainerLogNotAvailable'],
    ['logs', 404, error('ContainerNotFound'), 'not-found', 'ContainerNotFound'],
    ['create', 404, error('ResourceGroupNotFound'), 'denied', 'ResourceGroupNotFound'],
    // The operator must act.
    ['create', 403, error('AuthorizationFailed'), 'denied', 'AuthorizationFailed'],
    ['create', 403, error('LinkedAuthorizationFailed'), 'denied', 'LinkedAuthorizationFailed'],
    ['get', 401, '', 'denied', '401'],
    ['create', 409, error('MissingSubscriptionRegistration'), 'denied', 'MissingSubscriptionRegistration'],
    ['delete', 409, error('ScopeLocked'), 'denied', 'ScopeLocked'],
    ['create', 400, error('LocationNotAvailableForResourceType'), 'denied', 'LocationNotAvailableForResourceType'],
    ['create', 400, error('SubnetMissingRequiredDelegation'), 'denied', 'SubnetMissingRequiredDelegation'],
    // The request itself is wrong.
    ['create', 400, error('InvalidOsType'), 'rejected', 'InvalidOsType'],
    [
      'create',
      400,
      error("Multiple error occurred: 'BadRequest':'InaccessibleImage'"),
      'rejected',
      'InaccessibleImage',
    ],
    [
      'create',
      400,
      JSON.stringify({ error: { code: 'BadRequest', message: 'x', details: [{ code: 'InaccessibleImage' }] } }),
      'rejected',
      'InaccessibleImage',
    ],
    ['create', 413, error('RequestContentTooLarge'), 'rejected', 'RequestContentTooLarge'],
    ['create', 400, error(''), 'rejected', ''],
    ['create', 400, JSON.stringify({ error: { message: 'Only that.' } }), 'rejected', ''],
    ['get', 404, error(''), 'transient', undefined],
    ['get', 404, error('InvalidRequestContent'), 'transient', undefined],
    // Nobody knows.
    ['create', 400, '<html>', 'transient', undefined],
    ['create', 400, '{}', 'transient', undefined],
    ['create', 408, error('RequestTimeout'), 'transient', undefined],
    ['create', 500, error('InternalServerError'), 'transient', undefined],
    ['create', 302, '', 'transient', undefined],
  ])('%s: %i %s -> %s %s', (action, status, body, ...expected) => {
    const fault = answerFault(answer(status, body), action);
    expect([fault.kind, 'code' in fault ? fault.code : undefined]).toEqual(expected);
  });

  // Azure answers with codes that are in no list: only those that are known fail a pod for good.
  it.each([
    ['InvalidRequestContent', true],
    ['invalidrequestcontent', true],
    ['InvalidOsType', true],
    ['InvalidContainerEnvironmentVariable', true],
    ['ResourceRequestsNotSpecified', true],
    ['ResourceRequestsNotSupported', true],
    ['ContainerLimitGreaterThanContainerGroupTotalRequest', true],
    ["Multiple error occurred: 'BadRequest':'InvalidOsType'", true],
    ['RetryableError', false],
    ['ReferencedResourceNotProvisioned', false],
    ['AnotherOperationInProgress', false],
    ['BadRequest', false],
    ['OperationNotAllowed', false],
    ['InvalidOsTypeForNow', false],
    ['InaccessibleImage', false],
    ["Multiple error occurred: 'InvalidOsType':'InaccessibleImage'", false],
    ['MissingApiVersionParameter', false],
    ['LocationRequired', false],
    ['NobodyKnowsThisOne', false],
    ['\u{fffd}\u{1f4a9} <b>', false],
    [' ', false],
    ['', false],
  ])('a 400 %j is for good: %s', (code, isPermanent) => {
    const fault = answerFault(answer(400, error(code)), 'create');
    expect(fault.kind).toBe('rejected');
    expect('isPermanent' in fault).toBe(isPermanent);
  });

  it('cuts what a server says to one short line', () => {
    const fault = answerFault(answer(400, error('InvalidOsType', `first\n\u0000second ${'x'.repeat(9000)}`)), 'create');
    expect(fault.message).toMatch(/^first second x+$/);
    expect(fault.message.length).toBeLessThanOrEqual(500);
    const coded = answerFault(answer(400, error('X'.repeat(9000))), 'create');
    expect('code' in coded && coded.code.length).toBe(500);
  });

  it.each([
    [{ 'retry-after': '372' }, 372_000],
    [{ 'retry-after-ms': '1500' }, 1500],
    [{ 'x-ms-retry-after-ms': '20' }, 20],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': 'Mon, 23 Nov 2026 10:00:30 GMT', date: 'Mon, 23 Nov 2026 10:00:00 GMT' }, 30_000],
    [{ 'retry-after': 'soon' }, 10_000],
    [{}, 10_000],
    [{ 'retry-after': '99999999999' }, 3_600_000],
    [{ 'retry-after': '1e308' }, 3_600_000],
    [{ 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT', date: 'Mon, 23 Nov 2026 10:00:00 GMT' }, 3_600_000],
  ])('a 429 with %o may be tried again after %i ms', (headers, expected) => {
    const throttled = answer(429, error('ResourceRequestsThrottled'), headers);
    expect(retryAfterMs(throttled)).toBe(expected);
    expect(answerFault(throttled, 'create')).toMatchObject({ kind: 'throttled', retryAfterMs: expected });
  });

  it.each([
    [new Error('ECONNRESET'), 'transient'],
    ['a string', 'transient'],
    [Object.assign(new Error('no identity'), { name: 'AuthenticationError', statusCode: 400 }), 'denied'],
    [Object.assign(new Error('busy'), { name: 'AuthenticationError', statusCode: 429 }), 'transient'],
    [Object.assign(new Error('down'), { name: 'CredentialUnavailableError' }), 'transient'],
  ])('%s that was thrown is %s', (thrown, kind) => {
    expect(thrownFault(thrown).kind).toBe(kind);
  });
});
