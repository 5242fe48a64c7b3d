import { describe, expect, it } from 'vitest';
import { lookUpTrouble } from '../../../shared/core/image/look-up-trouble.ts';
import type { Fault } from '../../../shared/core/fault.ts';

const fault: Fault = { kind: 'not-found', code: 'MANIFEST_UNKNOWN', message: 'quay.io answered 404 for a/b:1' };
const failed = { image: 'quay.io/a/b:1', fault };

describe('an image that a registry does not give', () => {
  it('is ErrImagePull at first, with image, registry and status', () => {
    expect(lookUpTrouble(failed, false)).toEqual({
      reason: 'ErrImagePull',
      message: 'failed to pull image "quay.io/a/b:1": MANIFEST_UNKNOWN: quay.io answered 404 for a/b:1',
    });
  });

  it('is ImagePullBackOff from then on, with the same', () => {
    expect(lookUpTrouble(failed, true)).toEqual({
      reason: 'ImagePullBackOff',
      message:
        'Back-off pulling image "quay.io/a/b:1": ErrImagePull: failed to pull image "quay.io/a/b:1": MANIFEST_UNKNOWN: quay.io answered 404 for a/b:1',
    });
  });
});
