import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containerCommand } from '../../../shared/core/image/container-command.ts';
import { imageOverride } from '../../../shared/core/image/image-override.ts';
import { nonRootFault } from '../../../shared/core/image/image-user.ts';
import { mappedOrigin, registryHost } from '../../../shared/core/image/registry-endpoint.ts';

const words = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '');

describe('what runs in a container', () => {
  it.each([
    ['/bin/app serve', '', '', '', '/bin/app serve'],
    ['', '', '/entry', 'default', '/entry default'],
    ['', 'a b', '/entry', 'default', '/entry a b'],
    ['', 'a b', '', 'default', 'a b'],
    ['', '', '', 'default', 'default'],
    ['/bin/app', 'a', '/entry', 'default', '/bin/app a'],
    ['/bin/app', '', '/entry', 'default', '/bin/app'],
    ['', '', '', '', ''],
  ])('command [%s], args [%s] and an image of [%s] [%s]: [%s]', (...row) => {
    const [command, args, entrypoint, cmd, expected] = row;
    const container = { command: words(command), args: words(args) };
    expect(containerCommand(container, { entrypoint: words(entrypoint), cmd: words(cmd) })).toEqual(words(expected));
  });

  it('is the same whatever the image says, when there is a command', () => {
    const list = fc.array(fc.string(), { maxLength: 4 });
    fc.assert(
      fc.property(list, list, list, list, (command, args, entrypoint, cmd) => {
        fc.pre(command.length > 0);
        expect(containerCommand({ command, args }, { entrypoint, cmd })).toEqual([...command, ...args]);
      }),
    );
  });
});

describe('runAsNonRoot', () => {
  const pod = { name: 'web', namespace: 'shop', uid: '1-2-3' };
  const check = { container: 'main', pod, runAsNonRoot: true };
  const where = ' (pod: "web_shop(1-2-3)", container: main)';
  it.each<[string, string, number | undefined, string | undefined]>([
    ['a number', '1000', undefined, undefined],
    ['a number with a group', '1000:0', undefined, undefined],
    ['root by number', '0', undefined, 'container has runAsNonRoot and image will run as root'],
    ['root by many zeros', '00:1000', undefined, 'container has runAsNonRoot and image will run as root'],
    ['nobody at all', '', undefined, 'container has runAsNonRoot and image will run as root'],
    ['a group alone', ':1000', undefined, 'container has runAsNonRoot and image will run as root'],
    [
      'a name',
      'nginx:nginx',
      undefined,
      'container has runAsNonRoot and image has non-numeric user (nginx), cannot verify user is non-root',
    ],
    ['a name, and the pod a number', 'nginx', 1000, undefined],
    ['a number, and the pod root', '1000', 0, "container's runAsUser breaks non-root policy"],
  ])('and an image whose user is %s (%s), runAsUser %s: %s', (_, user, runAsUser, words) => {
    const asked = { ...check, ...(runAsUser !== undefined && { runAsUser }) };
    expect(nonRootFault(asked, { user })).toBe(words === undefined ? undefined : `${words}${where}`);
    expect(nonRootFault({ ...asked, runAsNonRoot: false }, { user })).toBeUndefined();
  });
});

describe("an operator's word", () => {
  const of = (user: string) => ({ entrypoint: [], cmd: [], env: {}, workingDir: '', user });
  const digest = `sha256:${'a'.repeat(64)}`;
  const overrides = {
    'docker.io/library/hub:latest': of('hub'),
    'docker.io/all': of('all'),
    'r.io:5000/app': of('any'),
    'r.io:5000/app:2': of('two'),
    [`r.io:5000/app@${digest}`]: of('one'),
  };
  it.each([
    ['r.io:5000/app', 'any'],
    ['r.io:5000/app:1', 'any'],
    ['r.io:5000/app:2', 'two'],
    [`r.io:5000/app:2@${digest}`, 'one'],
    [`r.io:5000/app:2@${digest.replaceAll('a', 'b')}`, 'two'],
    [`r.io:5000/app@${digest}`, 'one'],
    ['hub', 'hub'],
    ['index.docker.io/library/hub:latest', 'hub'],
    ['hub:2', undefined],
    ['all:2', 'all'],
    [`all@${digest}`, 'all'],
    [`hub@${digest}`, undefined],
    ['r.io/app', undefined],
    ['r.io:5000/app/more', undefined],
    ['toString', undefined],
  ])('on %s is %s', (image, user) => {
    expect(imageOverride(image, overrides)).toEqual(user === undefined ? undefined : of(user));
  });
});

describe('a registry is asked at', () => {
  it.each([
    ['index.docker.io', 'registry-1.docker.io'],
    ['quay.io', 'quay.io'],
    ['r.io:5000', 'r.io:5000'],
  ])('%s: %s', (registry, host) => {
    expect(registryHost(registry)).toBe(host);
  });

  it.each([
    ['quay.io', 'http://127.0.0.1:5000'],
    ['quay.io:443', undefined],
    ['constructor', undefined],
  ])('%s, where an operator maps quay.io: %s', (host, origin) => {
    expect(mappedOrigin(host, { 'quay.io': 'http://127.0.0.1:5000' })).toBe(origin);
  });
});
