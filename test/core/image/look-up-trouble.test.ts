import { describe, expect, it } from 'vitest';
import { lookUpTrouble, nextLookUpMs } from '../../../shared/core/image/look-up-trouble.ts';
import type { Fault } from '../../../shared/core/fault.ts';

const fault: Fault = { kind: 'not-found', code: 'MANIFEST_UNKNOWN', message: 'quay.io answered 404 for a/b:1' };
const failed = { image: 'quay.io/a/b:1', fault };

describe('an image that a registry does not give', () => {
  it('is ErrImagePull at first, with image, registry and status', () => {
    expect(lookUpTrouble({ ...failed, attempt: 0 })).toEqual({
      reason: 'ErrImagePull',
      message: 'failed to pull image "quay.io/a/b:1": MANIFEST_UNKNOWN: quay.io answered 404 for a/b:1',
    });
  });

  it('is ImagePullBackOff from then on, with the same', () => {
    expect(lookUpTrouble({ ...failed, attempt: 3 })).toEqual({
      reason: 'ImagePullBackOff',
      message:
        'Back-off pulling image "quay.io/a/b:1": ErrImagePull: failed to pull image "quay.io/a/b:1": MANIFEST_UNKNOWN: quay.io answered 404 for a/b:1',
    });
  });

  const throttled: Fault = { kind: 'throttled', retryAfterMs: 400_000, message: 'busy' };
  it.each<[number, Fault, number, number]>([
    [0, fault, 10_000, 20_000],
    [1, fault, 20_000, 40_000],
    [9, fault, 150_000, 300_000],
    [0, throttled, 400_000, 400_000],
  ])('is asked for again after %i tries (%j) in %i to %i ms', (attempt, fault, least, most) => {
    expect(nextLookUpMs({ ...failed, fault, attempt }, 0)).toBe(least);
    expect(nextLookUpMs({ ...failed, fault, attempt }, 1)).toBe(most);
  });
});
