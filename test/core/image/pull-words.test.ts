import { describe, expect, it } from 'vitest';
import { imagesMeant, pullCause, pullWait } from '../../../shared/core/image/pull-words.ts';

const hub = "RegistryErrorResponse: An error response is received from the docker registry 'index.docker.io'.";

describe('a pull that fails', () => {
  it('is ErrImagePull and then ImagePullBackOff, with the image that no word of ARM names', () => {
    expect(pullWait(['busybox:none'], hub, false)).toEqual({
      reason: 'ErrImagePull',
      message: `failed to pull image "busybox:none": ${hub}`,
    });
    expect(pullWait(['busybox:none'], hub, true)).toEqual({
      reason: 'ImagePullBackOff',
      message: `Back-off pulling image "busybox:none": ErrImagePull: failed to pull image "busybox:none": ${hub}`,
    });
  });

  it.each<[string, string]>([
    ['what names nobody', hub],
    ['what says it already', 'Failed to pull image "busybox:none": no'],
  ])('says once which image it is: %s', (_, words) => {
    const once = pullWait(['busybox:none', 'redis'], words, true);
    expect(pullWait(['busybox:none', 'redis'], once.message, true)).toEqual(once);
    expect(pullCause(once.message)).toBe(pullCause(words));
  });

  it.each<[string, readonly string[], string, readonly string[]]>([
    ['the one that is named', ['a.io/b:1', 'a.io/c:1'], "The image 'a.io/c:1' is not accessible", ['a.io/c:1']],
    ['not the one whose name begins as it', ['a.io/b:1', 'a.io/b:1.2'], "The image 'a.io/b:1.2'", ['a.io/b:1.2']],
    ['those of the registry', ['redis', 'a.io/b:1', 'docker.io/c:1'], hub, ['redis', 'docker.io/c:1']],
    ['all, once each, where nothing is named', ['redis', 'a.io/b:1', 'redis'], 'Please retry.', ['redis', 'a.io/b:1']],
  ])('is of %s', (_, images, words, meant) => {
    expect(imagesMeant(images, words)).toEqual(meant);
    expect(pullWait(images, words, false).message).toBe(
      `failed to pull image ${meant.map((image) => `"${image}"`).join(' or ')}: ${words}`,
    );
  });
});
