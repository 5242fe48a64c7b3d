import { describe, expect, it } from 'vitest';
import type { ImageConfig } from '../../../shared/core/image/image-config.ts';
import { imageReferences } from '../../../shared/core/pod/image-needs.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import { facts, needsAgent, podOf, rawContainer, resolved } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const image = (user: string, workingDir = ''): ImageConfig => ({
  entrypoint: ['/e'],
  cmd: [],
  env: {},
  workingDir,
  user,
});
const podWith = (container: Raw, spec: Raw = {}) =>
  podOf({ containers: [rawContainer({ name: 'main', image: 'app', ...container })], ...spec });
const translated = (container: Raw, config: ImageConfig, spec: Raw = {}) =>
  translatePod(podWith(container, spec), facts, resolved({ images: { app: { ok: true, value: config } } }));
const security = (securityContext: Raw): Raw => ({ securityContext });
const where = '(pod: "web_shop(b7a0f6d2-0000-4000-8000-000000000002)", container: main)';

describe('a pod that asks for a user', () => {
  it.each<[string, Raw, string]>([
    ['that the image has', security({ runAsUser: 1000 }), '1000'],
    ['beside a group', security({ runAsUser: 1000 }), '1000:1000'],
    ['root, of an image without one', security({ runAsUser: 0 }), ''],
    ['root, by its name', security({ runAsUser: 0 }), 'root'],
    ['other than root, of an image with a number', security({ runAsNonRoot: true }), '65532'],
    ['in both ways', security({ runAsUser: 1000, runAsNonRoot: true, runAsGroup: 2000 }), '1000'],
  ])('%s: runs', (_, container, user) => expect(translated(container, image(user)).kind).toBe('group'));

  it.each([
    {
      it: 'than root',
      user: '',
      runAsUser: 1000,
      why: `runs as root, and ACI can't set another user${needsAgent}`,
      agent: 'T1',
    },
    {
      it: 'than that of a name',
      user: 'nginx',
      runAsUser: 101,
      why: `runs as nginx, and ACI can't set another user${needsAgent}`,
      agent: 'T1',
    },
    {
      it: 'than its number',
      user: '65532',
      runAsUser: 1000,
      why: "runs as 65532, and who is not root can't become another user",
    },
  ])('another one $it: is refused by the field', ({ user, runAsUser, why, agent }) => {
    expect(translated(security({ runAsUser }), image(user))).toEqual({
      kind: 'refused',
      reason: 'UnsupportedPodSpec',
      field: 'spec.containers[0].securityContext.runAsUser',
      message: `spec.containers[0].securityContext.runAsUser: the image app ${why}`,
      ...(agent !== undefined && { agent }),
    });
  });

  it.each<[string, Raw, string, string]>([
    ['the image is root', { runAsNonRoot: true }, '', `container has runAsNonRoot and image will run as root ${where}`],
    [
      'the image has a name for its user',
      { runAsNonRoot: true },
      'nobody',
      `container has runAsNonRoot and image has non-numeric user (nobody), cannot verify user is non-root ${where}`,
    ],
    [
      'the pod asks for root itself',
      { runAsNonRoot: true, runAsUser: 0 },
      '0',
      `container's runAsUser breaks non-root policy ${where}`,
    ],
  ])('waits as with a kubelet where %s', (_, context, user, message) =>
    expect(translated(security(context), image(user))).toEqual({
      kind: 'waiting',
      reason: 'CreateContainerConfigError',
      message,
      field: 'spec.containers[0].securityContext.runAsNonRoot',
      container: { member: 'containers', name: 'main' },
    }),
  );

  it('of the pod as a whole, unless the container has one', () => {
    const spec = { securityContext: { runAsUser: 5 } };
    expect(translated({}, image(''), spec)).toMatchObject({ field: 'spec.securityContext.runAsUser' });
    expect(translated(security({ runAsUser: 1000 }), image('1000'), spec).kind).toBe('group');
  });

  it.each<[string, Raw, boolean]>([
    ['a user', security({ runAsUser: 1 }), true],
    ['runAsNonRoot', security({ runAsNonRoot: true }), true],
    ['a folder', { workingDir: '/x' }, true],
    ['a group alone', security({ runAsGroup: 1 }), false],
    ['runAsNonRoot: false', security({ runAsNonRoot: false }), false],
  ])('has the registry asked for %s: %s', (_, container, isAsked) =>
    expect(imageReferences(podWith(container), facts, resolved()).length > 0).toBe(isAsked),
  );
});

describe('a pod that asks for a folder', () => {
  it.each([
    ['/app', '/app', true],
    ['/app/', '/app', true],
    ['/', '', true],
    ['/srv', '/app', false],
    ['/srv', '', false],
  ])('%s, of an image that starts in "%s": %s', (workingDir, own, runs) =>
    expect(translated({ workingDir }, image('', own)).kind).toBe(runs ? 'group' : 'refused'),
  );
});
