import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { volumeParts } from '../../../shared/core/pod/mounted-volumes.ts';
import { listReferences } from '../../../shared/core/pod/references.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import { groupVolumeNames } from '../../../shared/core/pod/volumes.ts';
import { configMap, facts, podOf, rawContainer, resolved, secret, translated } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const year = 31_536_000;

const references = resolved({
  configMaps: {
    settings: { data: { a: 'A', b: 'B' }, binaryData: { c: new Uint8Array([0, 255]) } },
    'kube-root-ca.crt': configMap({ 'ca.crt': 'CA' }),
    empty: configMap({}),
  },
  secrets: { login: secret({ user: 'u', password: 's3cret' }) },
  tokens: [
    { value: 'tok-1', lifetimeSeconds: year },
    { value: 'tok-2', lifetimeSeconds: 600 },
  ],
});

const mounted = (source: Raw, metadata: Raw = {}) =>
  podOf(
    {
      volumes: [{ name: 'data', ...source }],
      containers: [rawContainer({ volumeMounts: [{ name: 'data', mountPath: '/data' }] })],
    },
    metadata,
  );

const filesOf = (source: Raw, metadata: Raw = {}): unknown => {
  const volume = translated(mounted(source, metadata), references).body.volumes[0];
  if (volume === undefined || !('secret' in volume)) return volume;
  return Object.fromEntries(
    Object.entries(volume.secret).map(([path, content]) => [path, Buffer.from(content, 'base64').toString('latin1')]),
  );
};

const apiAccess: Raw = {
  projected: {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
};

describe('a volume', () => {
  it.each<[string, Raw, unknown]>([
    ['may be empty', { emptyDir: {} }, { name: 'data', emptyDir: {} }],
    [
      'holds all keys of a ConfigMap, bytes too',
      { configMap: { name: 'settings' } },
      { a: 'A', b: 'B', c: '\u0000\u00ff' },
    ],
    [
      'holds the items that are named',
      { configMap: { name: 'settings', items: [{ key: 'a', path: 'x.conf' }] } },
      { 'x.conf': 'A' },
    ],
    ['holds a Secret', { secret: { secretName: 'login' } }, { user: 'u', password: 's3cret' }],
    [
      'of an optional Secret that is missing is an empty folder',
      { secret: { secretName: 'no', optional: true } },
      { name: 'data', emptyDir: {} },
    ],
    ['of an empty ConfigMap is an empty folder', { configMap: { name: 'empty' } }, { name: 'data', emptyDir: {} }],
    [
      'leaves out an optional key that is missing',
      {
        configMap: {
          name: 'settings',
          optional: true,
          items: [
            { key: 'a', path: 'a' },
            { key: 'no', path: 'no' },
          ],
        },
      },
      { a: 'A' },
    ],
    ['gives access to the API server', apiAccess, { token: 'tok-1', 'ca.crt': 'CA', namespace: 'shop' }],
    [
      'merges its projections, the later over the earlier',
      {
        projected: {
          sources: [
            { configMap: { name: 'settings' } },
            { secret: { name: 'login', items: [{ key: 'user', path: 'a' }] } },
          ],
        },
      },
      { a: 'u', b: 'B', c: '\u0000\u00ff' },
    ],
    [
      'holds labels and resources',
      {
        downwardAPI: {
          items: [
            { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
            { path: 'mem', resourceFieldRef: { containerName: 'main', resource: 'limits.memory', divisor: '1M' } },
          ],
        },
      },
      { labels: 'app="x"\nz="a\\"b\\\\c\\n\\x01"', mem: '1000' },
    ],
  ])('%s', (_, source, files) => {
    expect(filesOf(source, { labels: { z: 'a"b\\c\n\u0001', app: 'x' } })).toEqual(files);
  });

  it('escapes what Go would not print, and nothing else', () => {
    const annotations = { a: 'é ☃ 𝒳\u00a0\u200d\u{e0001}\u007f' };
    const source = { downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.annotations' } }] } };
    expect(filesOf(source, { annotations })).toEqual({
      a: Buffer.from('a="é ☃ 𝒳\\u00a0\\u200d\\U000e0001\\x7f"').toString('latin1'),
    });
  });

  it.each<[string, Raw, string]>([
    ['ConfigMap', { configMap: { name: 'no' } }, 'configmap "no" not found'],
    ['Secret', { secret: { secretName: 'no' } }, 'secret "no" not found'],
    [
      'key of a ConfigMap',
      { configMap: { name: 'settings', items: [{ key: 'no', path: 'x' }] } },
      'references non-existent config key: no',
    ],
    [
      'key of a Secret',
      { secret: { secretName: 'login', items: [{ key: 'no', path: 'x' }] } },
      'references non-existent secret key: no',
    ],
    ['projected ConfigMap', { projected: { sources: [{ configMap: { name: 'no' } }] } }, 'configmap "no" not found'],
  ])('waits for a %s', (_, source, why) => {
    expect(translatePod(mounted(source), facts, references)).toEqual({
      kind: 'waiting',
      reason: 'FailedMount',
      message: `MountVolume.SetUp failed for volume "data" : ${why}`,
    });
  });

  it('waits for its token', () => {
    const translation = translatePod(mounted(apiAccess), facts, { ...references, tokens: [] });
    expect(translation).toMatchObject({ kind: 'waiting', reason: 'FailedMount' });
  });

  it('that nobody mounts is left out, and not read', () => {
    const pod = podOf({ volumes: [{ name: 'data', secret: { secretName: 'no' } }] });
    expect(translated(pod).body.volumes).toEqual([]);
    expect(listReferences(pod, facts).secrets).toEqual([]);
  });

  it('may be mounted twice, and is read-only unless it is empty', () => {
    const pod = podOf({
      volumes: [
        { name: 'conf', configMap: { name: 'settings' } },
        { name: 'tmp', emptyDir: {} },
      ],
      containers: [
        rawContainer({
          volumeMounts: [
            { name: 'conf', mountPath: '/a' },
            { name: 'conf', mountPath: '/b' },
            { name: 'tmp', mountPath: '/tmp' },
            { name: 'tmp', mountPath: '/ro', readOnly: true },
          ],
        }),
      ],
    });
    expect(translated(pod, references).body.containers[0]?.volumeMounts).toEqual([
      { name: 'conf', mountPath: '/a', readOnly: true },
      { name: 'conf', mountPath: '/b', readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'tmp', mountPath: '/ro', readOnly: true },
    ]);
  });

  it('has no double hyphen in its name, and no name of another', () => {
    const names = ['a--b', 'a-b', 'a---b'];
    const pod = podOf({
      volumes: names.map((name) => ({ name, emptyDir: {} })),
      containers: [rawContainer({ volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` })) })],
    });
    const { volumes, containers } = translated(pod).body;
    expect(volumes.map(({ name }) => name)).toEqual(['a-b-x1', 'a-b', 'a-b-x2']);
    expect(containers[0]?.volumeMounts.map(({ name }) => name)).toEqual(['a-b-x1', 'a-b', 'a-b-x2']);
  });

  it('has a name that is found, however many are taken', () => {
    const names = ['a--b', 'a-b', ...Array.from({ length: 2_000 }, (_, at) => `a-b-x${at + 1}`)];
    const volumes = names.map((name, at) => ({
      volume: { name, source: { kind: 'emptyDir' as const } },
      path: `spec.volumes[${at}]`,
    }));
    expect(groupVolumeNames(volumes).get('a--b')).toBe('a-b-x2001');
  });

  it('whose object is named again and again is made once, and the last of one path is there', () => {
    const map = resolved({
      configMaps: { big: configMap({ a: 'x'.repeat(1_000_000) }), other: configMap({ a: 'o' }) },
    });
    const again = (names: readonly string[]): Raw => ({
      projected: { sources: names.map((name) => ({ configMap: { name } })) },
    });
    const many = Array.from({ length: 2_000 }, () => 'big');
    const { body } = translated(mounted(again([...many, 'other'])), map);
    expect(body.volumes).toEqual([{ name: 'data', secret: { a: Buffer.from('o').toString('base64') } }]);
    expect(translated(mounted(again(['other', 'big'])), map).body.volumes).toMatchObject([{ secret: { a: /^eHh4/ } }]);
  });

  it.each([
    ['a path of more than Linux takes', `/${'a/'.repeat(2_048)}`],
    ['a hundred thousand slashes', `${'/'.repeat(100_000)}a`],
  ])('at %s is refused at once', (_, mountPath) => {
    const pod = podOf({
      volumes: [{ name: 'data', configMap: { name: 'settings', items: [{ key: 'a', path: 'd/a' }] } }],
      containers: [rawContainer({ volumeMounts: [{ name: 'data', mountPath }] })],
    });
    expect(inspectPod(pod, facts).refusals.map(({ field }) => field)).toEqual([
      'spec.containers[0].volumeMounts[0].mountPath',
    ]);
  });

  const dashed = fc.constantFrom('a-', 'a--', 'b', '-', 'x').map((part) => part.repeat(63).slice(0, 63));
  const volumeName = fc
    .tuple(dashed, fc.integer({ min: 1, max: 63 }), fc.integer({ min: 0, max: 2 }))
    .map(([text, length, more]) => `v${text.slice(0, length)}${'x'.repeat(more)}`.slice(0, 62).replaceAll(/-+$/g, 'x'));
  // 62 letters without a double hyphen, and one letter more, both taken.
  const longest = `${'a'.repeat(39)}-${'b'.repeat(22)}`;
  const crowded = [longest, `${longest}x`, longest.replace('-', '--')];

  it('has a name of its own that ACI takes, however many names are alike, whole or by folders', () =>
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(crowded), fc.uniqueArray(volumeName, { minLength: 1, maxLength: 8 })),
        fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
        (names, isSplit) => {
          const pod = podOf({
            volumes: names.map((name) => ({ name, emptyDir: {} })),
            containers: [
              rawContainer({
                volumeMounts: names.flatMap((name, index) =>
                  isSplit[index] === true
                    ? ['x', 'y'].map((subPath) => ({ name, mountPath: `/${name}/${subPath}`, subPath }))
                    : [{ name, mountPath: `/${name}` }],
                ),
              }),
            ],
          });
          const given = [...groupVolumeNames(volumeParts(pod, 'ACI')).values()];
          for (const name of given) expect(name).toMatch(/^(?=.{1,63}$)[a-z0-9]+(-[a-z0-9]+)*$/);
          expect(new Set(given).size).toBe(given.length);
          expect(given.length).toBe(names.length + names.filter((_, index) => isSplit[index] === true).length);
        },
      ),
    ));

  it('with one key under so many names that no string could hold it is refused', () => {
    const big = resolved({ configMaps: { settings: configMap({ a: 'x'.repeat(900_000) }) } });
    const items = Array.from({ length: 1500 }, (_, at) => ({ key: 'a', path: `p${at}` }));
    expect(translatePod(mounted({ configMap: { name: 'settings', items } }), facts, big)).toMatchObject({
      kind: 'refused',
      field: 'spec.volumes',
    });
  });

  it('that does not fit into a request is refused', () => {
    const big = resolved({ configMaps: { settings: configMap({ a: 'x'.repeat(3_200_000) }) } });
    expect(translatePod(mounted({ configMap: { name: 'settings' } }), facts, big)).toMatchObject({
      kind: 'refused',
      field: 'spec.volumes',
    });
  });
});

describe('a token', () => {
  const source = (serviceAccountToken: Raw): Raw => ({ projected: { sources: [{ serviceAccountToken }] } });
  const volumes = [{ name: 'data', ...source({ expirationSeconds: 3607, path: 'token' }) }];
  const containers = [rawContainer({ volumeMounts: [{ name: 'data', mountPath: '/data' }] })];
  const ends = 'spec.volumes[*].projected: token token is not renewed in a running group; it ends';
  const after = 'after the group was created';

  // What the volume asks for says nothing of it: the API server may give less or more.
  it.each<[string, Raw, number, string | undefined]>([
    ['a year, for a service', { restartPolicy: 'Always' }, year, undefined],
    ['30 days, for a service', { restartPolicy: 'Always' }, 2_592_000, undefined],
    ['a second less, for a service', { restartPolicy: 'Always' }, 2_591_999, `Warning ${ends} 2591999 s ${after}`],
    ['a day, for a service', { restartPolicy: 'Always' }, 86_400, `Warning ${ends} 24 h ${after}`],
    ['an hour in name, for a service', { restartPolicy: 'Always' }, 3607, `Warning ${ends} 3607 s ${after}`],
    ['ten minutes, for a service', { restartPolicy: 'Always' }, 600, `Warning ${ends} 10 min ${after}`],
    ['a day, for a task without an end', { restartPolicy: 'Never' }, 86_400, `Normal ${ends} 24 h ${after}`],
    ['a day, for a task of an hour', { restartPolicy: 'Never', activeDeadlineSeconds: 3600 }, 86_400, undefined],
    ['a day, for a service of an hour', { restartPolicy: 'Always', activeDeadlineSeconds: 3600 }, 86_400, undefined],
    [
      'a day, for a task that ends with its grace',
      { restartPolicy: 'Never', activeDeadlineSeconds: 86_370 },
      86_400,
      undefined,
    ],
    [
      'a day, for a task whose grace is longer',
      { restartPolicy: 'Never', activeDeadlineSeconds: 86_371 },
      86_400,
      `Normal ${ends} 24 h ${after}`,
    ],
  ])('of %s: reported only if the pod may outlive it', (_, spec, lifetimeSeconds, reported) => {
    const tokens = [{ value: 't', lifetimeSeconds }];
    const { notices } = translated(podOf({ volumes, containers, ...spec }), resolved({ tokens }));
    const said = notices.map(({ type = 'Normal', message }) => `${type} ${message}`);
    expect(said).toEqual(reported === undefined ? [] : [reported]);
  });

  it.each<[string, Raw, { readonly expirationSeconds: number; readonly elseSeconds?: number }]>([
    [
      'the API server, as admission adds it',
      { expirationSeconds: 3607 },
      { expirationSeconds: 3607, elseSeconds: 86_400 },
    ],
    ['the API server, for less', { expirationSeconds: 600 }, { expirationSeconds: 3607, elseSeconds: 86_400 }],
    ['the API server, for more than a day', { expirationSeconds: 1e6 }, { expirationSeconds: 3607, elseSeconds: 1e6 }],
    [
      'the API server by an empty name',
      { audience: '', expirationSeconds: 1e4 },
      { expirationSeconds: 3607, elseSeconds: 86_400 },
    ],
    ['another audience', { audience: 'vault', expirationSeconds: 3607 }, { expirationSeconds: 3607 }],
  ])('for %s is asked for as long as it may be given', (_, token, terms) => {
    const [request] = listReferences(mounted(source({ path: 'token', ...token })), facts).tokens;
    expect({ expirationSeconds: request?.expirationSeconds, elseSeconds: request?.elseSeconds }).toEqual({
      elseSeconds: undefined,
      ...terms,
    });
  });
});

describe('references', () => {
  it('are each named once, sorted, tokens in the order of the volumes', () => {
    const pod = podOf({
      serviceAccountName: 'robot',
      imagePullSecrets: [{ name: 'pull' }],
      volumes: [
        { name: 'api', ...apiAccess },
        {
          name: 'vault',
          projected: { sources: [{ serviceAccountToken: { audience: 'vault', expirationSeconds: 600, path: 't' } }] },
        },
        { name: 'conf', configMap: { name: 'settings' } },
      ],
      initContainers: [
        rawContainer({ name: 'init', envFrom: [{ configMapRef: { name: 'zeta' } }, { secretRef: { name: 'login' } }] }),
      ],
      containers: [
        rawContainer({
          env: [
            { name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } },
            { name: 'B', valueFrom: { secretKeyRef: { name: 'login', key: 'a' } } },
          ],
          volumeMounts: ['api', 'vault', 'conf'].map((name) => ({ name, mountPath: `/${name}` })),
        }),
      ],
    });
    const token = {
      namespace: 'shop',
      serviceAccountName: 'robot',
      pod: { name: 'web', uid: 'b7a0f6d2-0000-4000-8000-000000000002' },
    };
    expect(listReferences(pod, facts)).toEqual({
      configMaps: ['kube-root-ca.crt', 'settings', 'zeta'],
      secrets: ['login', 'pull'],
      claims: [],
      trustBundles: [],
      services: true,
      tokens: [
        { ...token, audiences: [], expirationSeconds: 3607, elseSeconds: 86_400 },
        { ...token, audiences: ['vault'], expirationSeconds: 600 },
      ],
    });
  });

  it.each([
    ['are wanted for service links', true, true, true],
    ['are wanted for the kubernetes service', false, false, true],
    ['are not wanted when the API server is known and no links are', false, true, false],
  ])('services %s', (_, enableServiceLinks, known, wanted) => {
    const nodeFacts = known ? { apiServer: { host: 'api.example', port: 443 } } : {};
    expect(listReferences(podOf({ enableServiceLinks }), nodeFacts).services).toBe(wanted);
  });
});
