import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { absolutePath, nestedPaths } from '../../../shared/core/pod/nested-paths.ts';
import { listReferences } from '../../../shared/core/pod/references.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import { configMap, facts, needsAgent, podOf, rawContainer, resolved, secret, translated } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const references = resolved({
  configMaps: { settings: configMap({ a: 'A', b: 'B' }) },
  secrets: { login: secret({ user: 'u' }) },
  tokens: [{ value: 'tok-1', lifetimeSeconds: 31_536_000 }],
});

const ofPaths = (paths: readonly string[], more: Raw = {}): Raw => ({
  configMap: { name: 'settings', items: paths.map((path) => ({ key: 'a', path })), ...more },
});

type Mount = readonly [name: string, mountPath: string, more?: Raw];

const mounts = (list: readonly Mount[]): readonly Raw[] =>
  list.map(([name, mountPath, more]) => ({ name, mountPath, ...more }));

function podWith(source: Raw, list: readonly Mount[] = [['data', '/etc/app']], init: readonly Mount[] = []) {
  return podOf({
    volumes: [
      { name: 'data', ...source },
      { name: 'other', emptyDir: {} },
    ],
    containers: [rawContainer({ volumeMounts: mounts(list) })],
    initContainers: init.length === 0 ? [] : [rawContainer({ name: 'init', volumeMounts: mounts(init) })],
  });
}

const textOf = (content: string): string => Buffer.from(content, 'base64').toString();

/** What a container sees, by the mounts: path → content; of a volume without files its path alone, with a slash. */
function seen(pod: ReturnType<typeof podOf>, member: 'containers' | 'initContainers' = 'containers') {
  const { body } = translated(pod, references);
  const volumes = new Map(body.volumes.map((volume) => [volume.name, volume]));
  const files = body[member][0]?.volumeMounts?.flatMap(({ name, mountPath }) => {
    const volume = volumes.get(name);
    const entries = volume !== undefined && 'secret' in volume ? Object.entries(volume.secret) : [];
    return entries.length === 0
      ? [[`${mountPath}/`, '']]
      : entries.map(([file, content]) => [`${mountPath}/${file}`, textOf(content)]);
  });
  return Object.fromEntries(files ?? []);
}

describe('a volume all of whose files are in folders', () => {
  it('is a read-only volume for each folder, in all containers that mount it', () => {
    const pod = podWith(ofPaths(['conf.d/x', 'conf.d/y', 'certs/ca/z']), undefined, [['data', '/in/']]);
    const { body } = translated(pod, references);
    expect(body.volumes).toEqual([
      { name: 'data-0', secret: { x: 'QQ==', y: 'QQ==' } },
      { name: 'data-1', secret: { z: 'QQ==' } },
    ]);
    expect(body.containers[0]?.volumeMounts).toEqual([
      { name: 'data-0', mountPath: '/etc/app/conf.d', readOnly: true },
      { name: 'data-1', mountPath: '/etc/app/certs/ca', readOnly: true },
    ]);
    expect(body.initContainers[0]?.volumeMounts).toEqual([
      { name: 'data-0', mountPath: '/in/conf.d', readOnly: true },
      { name: 'data-1', mountPath: '/in/certs/ca', readOnly: true },
    ]);
  });

  it.each<[string, Raw, Record<string, string>]>([
    ['a ConfigMap', ofPaths(['d/x']), { '/etc/app/d/x': 'A' }],
    ['a Secret', { secret: { secretName: 'login', items: [{ key: 'user', path: 'd/u' }] } }, { '/etc/app/d/u': 'u' }],
    [
      'the downward API',
      { downwardAPI: { items: [{ path: 'd/n', fieldRef: { fieldPath: 'metadata.name' } }] } },
      { '/etc/app/d/n': 'web' },
    ],
    [
      'a projection, the later over the earlier and the token read once',
      {
        projected: {
          sources: [
            { serviceAccountToken: { path: 'api/token' } },
            { configMap: { name: 'settings', items: [{ key: 'a', path: 'both/x' }] } },
            { secret: { name: 'login', items: [{ key: 'user', path: './both//x' }] } },
          ],
        },
      },
      { '/etc/app/api/token': 'tok-1', '/etc/app/both/x': 'u' },
    ],
  ])('may be of %s', (_, source, files) => {
    const pod = podWith(source);
    expect(seen(pod)).toEqual(files);
    expect(listReferences(pod, facts).tokens.length).toBe('/etc/app/api/token' in files ? 1 : 0);
  });

  it('takes a detour for what it is', () => {
    expect(seen(podWith(ofPaths(['./x', 'y/'])))).toEqual({ '/etc/app/x': 'A', '/etc/app/y': 'A' });
  });

  it.each<[string, Raw, string]>([
    ['object', { configMap: { name: 'no', items: [{ key: 'a', path: 'd/a' }] } }, 'configmap "no" not found'],
    [
      'key',
      { configMap: { name: 'settings', items: [{ key: 'no', path: 'd/a' }] } },
      'references non-existent config key: no',
    ],
  ])('waits for a missing %s as any other', (_, source, why) => {
    expect(translatePod(podWith(source), facts, references)).toEqual({
      kind: 'waiting',
      reason: 'FailedMount',
      message: `MountVolume.SetUp failed for volume "data" : ${why}`,
    });
  });

  it('leaves out what is optional and missing; its folder stays, and is empty', () => {
    const items = [
      { key: 'a', path: 'd/a' },
      { key: 'no', path: 'd/no' },
      { key: 'no', path: 'e/no' },
    ];
    const pod = podWith({ configMap: { name: 'settings', optional: true, items } });
    expect(seen(pod)).toEqual({ '/etc/app/d/a': 'A', '/etc/app/e/': '' });
  });

  it.each<[string, Mount]>([
    ['beside its folders', ['other', '/etc/app/more']],
    ['with a name that begins as a folder does', ['other', '/etc/app/d-old']],
    ['of the same volume elsewhere', ['data', '/srv']],
  ])('is split with a mount %s', (_, mount) => {
    expect(inspectPod(podWith(ofPaths(['d/a']), [['data', '/etc/app'], mount]), facts).refusals).toEqual([]);
  });
});

describe('a folder inside a volume is refused by its file', () => {
  const notNested = 'ACI can not be relied on to mount a folder inside of another volume';
  const item = (index: number): string => `spec.volumes[0].configMap.items[${index}].path`;

  it.each<[string, Raw, readonly Mount[], readonly string[]]>([
    ['where another file is in the root', ofPaths(['a', 'd/b']), [], [item(1)]],
    ['where it is inside another that has files', ofPaths(['d/a', 'd/e/b']), [], [item(0), item(1)]],
    [
      'where all keys of another object are in the root',
      {
        projected: {
          sources: [
            { configMap: { name: 'settings', items: [{ key: 'a', path: 'd/a' }] } },
            { secret: { name: 'login', optional: true } },
          ],
        },
      },
      [],
      ['spec.volumes[0].projected.sources[0].configMap.items[0].path'],
    ],
    ['where a volume is mounted inside it', ofPaths(['d/a']), [['other', '/etc/app/d/e']], [item(0)]],
    ['where a volume is mounted over it', ofPaths(['d/a']), [['other', '/etc/app/./d/']], [item(0)]],
    ['where its volume is mounted inside another', ofPaths(['d/a']), [['other', '/etc']], [item(0)]],
    ['where another is mounted at the same place', ofPaths(['d/a']), [['other', '/etc/app/']], [item(0)]],
    ['where the root is a volume', ofPaths(['d/a']), [['other', '/']], [item(0)]],
    ['where its volume is mounted inside itself', ofPaths(['d/a']), [['data', '/etc/app/d/x']], [item(0)]],
    ['where a detour leads into it', ofPaths(['d/a']), [['other', '/srv/../etc/app/d']], [item(0)]],
  ])('%s', (_, source, more, fields) => {
    const pod = podWith(source, [['data', '/etc/app'], ...more]);
    const { refusals } = inspectPod(pod, facts);
    expect(refusals.map(({ field, message, agent }) => [field, message, agent])).toEqual(
      fields.map((field) => [field, `${field}: ${notNested}${needsAgent}`, 'T1']),
    );
  });

  it('where a mount of any container is in the way', () => {
    const pod = podWith(ofPaths(['d/a']), undefined, [
      ['data', '/x'],
      ['other', '/x/d'],
    ]);
    expect(inspectPod(pod, facts).refusal?.message).toBe(`${item(0)}: ${notNested}${needsAgent}`);
  });

  it.each<[string, string]>([
    ['names nothing', './'],
    ['leads out of it', 'd/../../a'],
    ['is absolute', '/d/a'],
  ])('that %s', (_, path) => {
    expect(inspectPod(podWith(ofPaths([path])), facts).refusals.map(({ message }) => message)).toEqual([
      `${item(0)}: it names no file inside the volume`,
    ]);
  });

  it('whose name ACI does not take in a mount', () => {
    expect(inspectPod(podWith(ofPaths(['d:e/a'])), facts).refusal?.message).toBe(
      `${item(0)}: ACI takes no : in the path of a mount${needsAgent}`,
    );
  });

  it('of a volume that nobody mounts, where it could not be mounted', () => {
    expect(inspectPod(podWith(ofPaths(['a', 'd/b']), []), facts).refusal?.field).toBe(item(1));
    expect(inspectPod(podWith(ofPaths(['d/a', 'd/e/b']), []), facts).refusal?.field).toBe(item(0));
    expect(inspectPod(podWith(ofPaths(['d/b']), []), facts).refusals).toEqual([]);
  });

  it('with subPath by the mount', () => {
    const pod = podWith(ofPaths(['d/a']), [['data', '/x', { subPath: 'd' }]]);
    expect(inspectPod(pod, facts).refusals.map(({ field }) => field)).toEqual([
      'spec.containers[0].volumeMounts[0].subPath',
    ]);
  });
});

describe('the 20 volumes of a group', () => {
  const folders = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `f${index}/a`);

  it('may all be folders', () => {
    expect(translated(podWith(ofPaths(folders(20))), references).body.volumes.length).toBe(20);
  });

  it('are counted with the folders', () => {
    const pod = podWith(ofPaths(folders(20)), [
      ['data', '/a'],
      ['other', '/b'],
    ]);
    expect(inspectPod(pod, facts).refusals.map(({ message }) => message)).toEqual([
      'spec.volumes: 21 volumes are mounted, each folder of a volume counted; a group takes 20',
    ]);
  });

  it('are fewer than the folders of one volume may be', () => {
    const refusals = inspectPod(podWith(ofPaths(folders(21))), facts).refusals;
    expect(refusals.map(({ message }) => message)).toEqual([
      `spec.volumes[0].configMap.items[0].path: the files are in 21 folders, each a volume; a group takes 20${needsAgent}`,
    ]);
  });

  it('are judged at once, of however many files, and however deep', () => {
    const start = performance.now();
    inspectPod(podWith(ofPaths(folders(5000))), facts);
    inspectPod(podWith(ofPaths([`${'d/'.repeat(200_000)}a`, 'e/a'])), facts);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

const path = fc.array(fc.constantFrom('a', 'b', 'a-', 'a.b'), { minLength: 1, maxLength: 3 }).map((p) => p.join('/'));

describe('whatever the paths', () => {
  it('a container sees each file where it is to be, once, or the pod is refused', () =>
    fc.assert(
      fc.property(
        fc.uniqueArray(path, { minLength: 1, maxLength: 6 }),
        fc.uniqueArray(path, { maxLength: 2 }),
        (paths, places) => {
          const others = places.map((place): Mount => ['other', `/${place}`]);
          const pod = podWith(ofPaths(paths), [['data', '/a'], ...others]);
          fc.pre(inspectPod(pod, facts).refusal === undefined);
          const files = Object.fromEntries(paths.map((one) => [`/a/${one}`, 'A']));
          expect(seen(pod)).toEqual({ ...files, ...Object.fromEntries(places.map((place) => [`/${place}/`, ''])) });
          // Mounts of whole volumes may be nested, as the pod has them: that is for ACI to say.
          const mounted = translated(pod, references).body.containers[0]?.volumeMounts ?? [];
          const nested = nestedPaths(mounted.map(({ mountPath }) => mountPath));
          const ofFolders = mounted.filter(({ name }) => name.startsWith('data-'));
          expect(ofFolders.filter(({ mountPath }) => nested.has(mountPath))).toEqual([]);
        },
      ),
    ));

  it('those are nested of which one begins with the other and a slash', () =>
    fc.assert(
      fc.property(fc.array(path, { maxLength: 6 }), (paths) => {
        const expected = paths.filter((one, index) =>
          paths.some(
            (other, at) =>
              at !== index && (one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`)),
          ),
        );
        expect([...nestedPaths(paths)].toSorted()).toEqual([...new Set(expected)].toSorted());
      }),
    ));

  it.each([
    ['/a/b', '/a/b'],
    ['a//b/', '/a/b'],
    ['/a/./b/../c', '/a/c'],
    ['/../a', '/a'],
    ['/', '/'],
  ])('%s is %s', (written, meant) => {
    expect(absolutePath(written)).toBe(meant);
  });
});
