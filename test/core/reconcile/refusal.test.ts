import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../shared/core/fault.ts';
import { readPutFault } from '../../../shared/core/reconcile/refusal.ts';

const pending = (reason: string, message: string, capacity = false) => ({ kind: 'pending', reason, message, capacity });
const again = (words: string) =>
  pending('ProviderError', `ARM refused the container group, which is tried again: ${words}`);
const said = (kind: 'capacity' | 'denied' | 'not-found' | 'conflict' | 'rejected', code: string): Fault => ({
  kind,
  code,
  message: 'Why.',
});

describe('the answer to a PUT', () => {
  it.each<[string, Fault, object]>([
    [
      'a rate limit',
      { kind: 'throttled', retryAfterMs: 5000, message: 'Slow.' },
      { ...pending('ContainerCreating', "waiting for ARM's rate limit: Slow."), retryAfterMs: 5000 },
    ],
    ['no room', said('capacity', 'SubnetIsFull'), pending('ProviderCapacity', 'SubnetIsFull: Why.', true)],
    ['no right', said('denied', 'AuthorizationFailed'), pending('ProviderDenied', 'AuthorizationFailed: Why.')],
    ['nothing there', said('not-found', 'X'), pending('ProviderNotFound', 'X: Why.')],
    [
      'a code known to be for good',
      { kind: 'rejected', code: 'InvalidOsType', message: 'Why.', isPermanent: true },
      { kind: 'failed', reason: 'ProviderRejected', message: 'InvalidOsType: Why.' },
    ],
    ['a code that nobody knows', said('rejected', 'OutOfCheese'), again('OutOfCheese: Why.')],
    ['a code that passes', said('rejected', 'RetryableError'), again('RetryableError: Why.')],
    ['no code', said('rejected', ''), again('Why.')],
    ['an image', said('rejected', 'InaccessibleImage'), pending('ErrImagePull', 'InaccessibleImage: Why.')],
    ['a registry', said('conflict', 'RegistryErrorResponse'), pending('ErrImagePull', 'RegistryErrorResponse: Why.')],
    ['a group in transition', said('conflict', 'ContainerGroupTransitioning'), { kind: 'unknown' }],
    ['another conflict', said('conflict', 'AnotherOperationInProgress'), again('AnotherOperationInProgress: Why.')],
    ['an outage', { kind: 'transient', message: 'HTTP 502' }, { kind: 'unknown' }],
  ])('%s', (_, fault, verdict) => {
    expect(readPutFault(fault)).toEqual(verdict);
  });
});
