import { describe, expect, it } from 'vitest';
import { imageNameFault } from '../../../shared/core/pod/image-name.ts';
import { imageTrouble } from '../../../shared/core/pod/image-trouble.ts';
import { makePod } from '../../fixtures/pods.ts';

const hex = 'a'.repeat(64);

describe('names of images', () => {
  it.each([
    'busybox',
    'busybox:1.36',
    'BusyHost/app',
    'docker.io/library/busybox:1.36',
    'index.docker.io/busybox',
    'registry.example.com:5000/team/app_one__two--three:v1.2-Rc',
    'localhost/app',
    '[::1]:5000/app',
    `app@sha256:${hex}`,
    `r.example.com/app:tag@sha256:${hex}`,
    'UPPER.example.com/app',
    `a/${'b'.repeat(253)}`,
  ])('%s may be one', (image) => expect(imageNameFault(image)).toBeUndefined());

  it.each([
    ['BusyBox_UPPER:1.36', 'invalid reference format: repository name (library/BusyBox_UPPER) must be lowercase'],
    ['r.example.com/Team/app', 'invalid reference format: repository name (Team/app) must be lowercase'],
    ['', 'invalid reference format'],
    [' busybox', 'invalid reference format'],
    ['busybox:', 'invalid reference format'],
    ['busybox:a b', 'invalid reference format'],
    ['-busybox', 'invalid reference format'],
    ['busybox//app', 'invalid reference format'],
    ['https://r.example.com/app', 'invalid reference format'],
    [`busybox:${'t'.repeat(129)}`, 'invalid reference format'],
    ['busybox@sha256:abc', 'invalid reference format'],
    [`busybox@sha256:${hex}a`, 'invalid checksum digest length'],
    [`busybox@sha256:${hex.toUpperCase()}`, 'invalid checksum digest format'],
    [`busybox@md5:${hex}`, 'unsupported digest algorithm'],
    [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
    [`a/${'b'.repeat(254)}`, 'repository name must not be more than 255 characters'],
  ])('%j is none', (image, why) =>
    expect(imageNameFault(image)).toBe(
      `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${why}`,
    ),
  );
});

describe('an image that no pull can bring', () => {
  const [main] = makePod().spec.containers;
  const containers = main === undefined ? [] : [main];
  const never = { ...makePod(), rawSpec: { containers: [{ name: 'main', imagePullPolicy: 'Never' }] } };

  it('has a name that is none', () => {
    const bad = containers.map((container) => ({ ...container, image: 'Upper' }));
    expect(imageTrouble(makePod({ spec: { initContainers: bad } }))).toMatchObject({
      reason: 'InvalidImageName',
    });
  });

  it('may not be pulled', () =>
    expect(imageTrouble(never)).toEqual({
      reason: 'ErrImageNeverPull',
      message: 'Container image "busybox:1.36" is not present with pull policy of Never',
      container: { member: 'containers', name: 'main' },
    }));

  it('is none of the others', () => expect(imageTrouble(makePod())).toBeUndefined());
});
