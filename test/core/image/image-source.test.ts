import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imageSource, nameOfPinned, pinnedImage } from '../../../shared/core/image/image-source.ts';
import { imageNameFault } from '../../../shared/core/pod/image-name.ts';

const hex = 'ab'.repeat(32);
const digest = `sha256:${hex}`;

describe('an image is kept at', () => {
  it.each([
    ['nginx', 'index.docker.io', 'library/nginx', 'tag', 'latest'],
    ['docker.io/nginx:1.29', 'index.docker.io', 'library/nginx', 'tag', '1.29'],
    ['index.docker.io/team/app', 'index.docker.io', 'team/app', 'tag', 'latest'],
    ['shop.azurecr.io/team/app:1', 'shop.azurecr.io', 'team/app', 'tag', '1'],
    ['localhost:5000/app', 'localhost:5000', 'app', 'tag', 'latest'],
    [`quay.io/a/b:1@${digest}`, 'quay.io', 'a/b', 'digest', digest],
    [`localhost:5000/app@${digest}`, 'localhost:5000', 'app', 'digest', digest],
  ])('%s: %s, %s, %s %s', (image, ...place) => {
    const [registry, repository, kind, value] = place;
    expect(imageSource(image)).toEqual({ ok: true, source: { registry, repository, reference: { kind, value } } });
  });

  it.each(['Team/App:1', 'nginx:1:2', '', hex])('no place, in the words of a kubelet: %s', (image) => {
    expect(imageSource(image)).toEqual({ ok: false, message: imageNameFault(image) });
    expect(imageNameFault(image)).toContain(image);
  });
});

describe('an image by its digest', () => {
  it.each([
    ['nginx', `nginx@${digest}`],
    ['nginx:1.29', `nginx@${digest}`],
    ['localhost:5000/app', `localhost:5000/app@${digest}`],
    ['localhost:5000/app:2', `localhost:5000/app@${digest}`],
    [`quay.io/a/b:1@sha256:${'0'.repeat(64)}`, `quay.io/a/b@${digest}`],
  ])('of %s is %s', (image, pinned) => {
    expect(pinnedImage(image, digest)).toBe(pinned);
  });

  const part = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const image = fc
    .tuple(
      fc.constantFrom('', 'docker.io/', 'r.example/', 'localhost:5000/', '10.1.2.3:80/'),
      fc.array(part, { minLength: 1, maxLength: 3 }),
      fc.option(fc.stringMatching(/^\w[\w.-]{0,12}$/)),
      fc.boolean(),
    )
    .map(
      ([host, path, tag, isPinned]) =>
        `${host}${path.join('/')}${tag === null ? '' : `:${tag}`}${isPinned ? `@${digest}` : ''}`,
    );
  it('is at the same place, and a name that a registry may have', () => {
    fc.assert(
      fc.property(image, (name) => {
        const before = imageSource(name);
        const after = imageSource(pinnedImage(name, digest));
        if (!before.ok || !after.ok) throw new Error(`${name} is none`);
        expect(after.source).toEqual({ ...before.source, reference: { kind: 'digest', value: digest } });
      }),
    );
  });
});

describe('what a group runs by its digest', () => {
  const other = `sha256:${'0'.repeat(64)}`;
  it.each<[string, readonly string[], string]>([
    [`nginx@${digest}`, ['nginx:1.29', 'nginx:1.30'], 'nginx:1.29'],
    [`nginx@${digest}`, ['', 'nginx'], 'nginx'],
    [`nginx@${digest}`, ['', `nginx:1@${digest}`], `nginx:1@${digest}`],
    [`nginx@${digest}`, [`nginx@${digest}`], `nginx@${digest}`],
    [`nginx@${digest}`, ['', `nginx@${other}`], `nginx@${digest}`],
    [`nginx@${digest}`, ['', 'busybox:1'], `nginx@${digest}`],
    ['nginx:1.29', ['nginx:1.30'], 'nginx:1.29'],
    ['', ['nginx'], ''],
  ])('%s is, of %j, %s', (runs, names, name) => {
    expect(nameOfPinned(runs, names)).toBe(name);
  });
});
