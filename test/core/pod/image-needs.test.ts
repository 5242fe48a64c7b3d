import { describe, expect, it } from 'vitest';
import type { ImageConfig } from '../../../shared/core/image/image-config.ts';
import { imageReferences } from '../../../shared/core/pod/image-needs.ts';
import { imageLogins } from '../../../shared/core/pod/registry-credentials.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import { facts, podOf, rawContainer, resolved, secret, translated } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const config: ImageConfig = { digest, entrypoint: ['/entry'], cmd: ['serve'], env: {}, workingDir: '', user: '' };
const read = (value: ImageConfig) => ({ ok: true, value }) as const;
const container = (name: string, image: string, more: Raw = {}): Raw =>
  rawContainer({ name, image, imagePullPolicy: 'IfNotPresent', ...more });
const args = { args: ['a'] };

describe('registries are asked', () => {
  const wanted = (spec: Raw) => imageReferences(podOf(spec), facts, resolved());

  it('for nothing where every container says what it runs, or nothing', () => {
    const containers = [container('a', 'x', { command: ['c'] }), container('b', 'y', { command: ['c'], ...args })];
    expect(wanted({ containers: [...containers, container('c', 'z')] })).toEqual([]);
  });

  it('once for each image of a container with arguments alone, in the order of their names', () => {
    const containers = [container('a', 'y', args), container('b', 'x:1', args), container('c', 'x:1', args)];
    expect(wanted({ containers, initContainers: [container('i', 'w', args)] })).toEqual([
      { image: 'w', isAlways: false },
      { image: 'x:1', isAlways: false },
      { image: 'y', isAlways: false },
    ]);
  });

  it('anew for a tag, where one of the containers always pulls', () => {
    const always = container('b', 'x', { ...args, imagePullPolicy: 'Always' });
    const containers = [container('a', 'x', args), always, container('c', 'x', args)];
    expect(wanted({ containers })).toEqual([{ image: 'x', isAlways: true }]);
  });
});

describe('a container with arguments alone', () => {
  const pod = podOf({
    containers: [
      container('main', 'app:1', { args: ['--to=$(TO)', '$(UNKNOWN)'], env: [{ name: 'TO', value: '7' }] }),
      container('same', 'app:1'),
      container('other', 'nginx:1.29'),
    ],
    initContainers: [container('init', 'app:1', args)],
  });

  it("runs them behind the image's entrypoint, expanded, and all of that image run by its digest", () => {
    const { body } = translated(
      pod,
      resolved({ images: { 'app:1': read({ ...config, entrypoint: ['/entry', '$(TO)'] }) } }),
    );
    const shown = [...body.initContainers, ...body.containers].map(({ image, command }) => [image, command]);
    expect(shown).toEqual([
      [`app@${digest}`, ['/entry', '$(TO)', 'a']],
      [`app@${digest}`, ['/entry', '$(TO)', '--to=7', '$(UNKNOWN)']],
      [`app@${digest}`, undefined],
      ['nginx:1.29', undefined],
    ]);
  });

  it('runs them alone where the image has no entrypoint', () => {
    const { body } = translated(pod, resolved({ images: { 'app:1': read({ ...config, entrypoint: [] }) } }));
    expect(body.containers[0]?.command).toEqual(['--to=7', '$(UNKNOWN)']);
  });

  it("has its image's own name where an operator said what it is", () => {
    const { digest: _, ...said } = config;
    const { body } = translated(pod, resolved({ images: { 'app:1': read(said) } }));
    expect(body.containers[0]).toMatchObject({ image: 'app:1', command: ['/entry', '--to=7', '$(UNKNOWN)'] });
  });

  it('waits for a registry that does not say, and names itself', () => {
    const fault = { kind: 'denied', code: 'DENIED', message: 'r.io answered 403 for app:1' } as const;
    expect(translatePod(pod, facts, resolved({ images: { 'app:1': { ok: false, fault } } }))).toEqual({
      kind: 'waiting',
      reason: 'ErrImagePull',
      message: 'failed to pull image "app:1": DENIED: r.io answered 403 for app:1',
      pull: { image: 'app:1', fault },
      container: { member: 'initContainers', name: 'init' },
    });
    expect(translatePod(pod, facts, resolved())).toMatchObject({ kind: 'waiting', reason: 'ErrImagePull' });
  });

  it('makes no other wait that could do without', () => {
    const fault = { kind: 'transient', message: 'down' } as const;
    const alone = podOf({ containers: [container('main', 'app:1')] });
    const { body } = translated(alone, resolved({ images: { 'app:1': { ok: false, fault } } }));
    expect(body.containers[0]).toMatchObject({ image: 'app:1' });
  });

  it('shows no secret', () => {
    const env = [{ name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }];
    const leaking = podOf({ containers: [container('main', 'app:1', { args: ['$(S)'], env })] });
    const all = resolved({ images: { 'app:1': read(config) }, secrets: { s: secret({ k: 'planted' }) } });
    expect(translatePod(leaking, facts, all)).toMatchObject({ kind: 'refused', field: 'spec.containers[0].args[0]' });
  });
});

describe('the logins for an image', () => {
  const file = (auths: Raw) =>
    secret({ '.dockerconfigjson': JSON.stringify({ auths }) }, 'kubernetes.io/dockerconfigjson');
  const login = (username: string) => ({ username, password: 'p' });
  const secrets = new Map([
    ['wide', file({ 'r.io': login('wide'), 'other.io': login('no') })],
    ['narrow', file({ 'r.io/team': login('narrow') })],
    ['unnamed', file({ 'r.io': login('no') })],
    ['broken', secret({ x: 'y' })],
  ]);

  it('are those of the named pull secrets that are for it, the most specific first', () => {
    const names = ['wide', 'narrow', 'broken', 'missing'].map((name) => ({ name }));
    expect(imageLogins('r.io/team/app:1', names, secrets)).toEqual([login('narrow'), login('wide')]);
    expect(imageLogins('r.io/else', names, secrets)).toEqual([login('wide')]);
    expect(imageLogins('nginx', names, secrets)).toEqual([]);
  });
});
