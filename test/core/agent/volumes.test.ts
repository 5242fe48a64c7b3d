import { describe, expect, it } from 'vitest';
import type { SubPath } from '../../../shared/core/agent/orders.ts';
import type { ImageConfig } from '../../../shared/core/image/image-config.ts';
import { podOf, rawContainer, withContainer } from '../pod/fixtures.ts';
import type { Raw } from '../pod/fixtures.ts';
import { grouped, node, references, translate } from './fixtures.ts';
import type { AgentGroup } from './fixtures.ts';

const settings = (more: Raw = {}): Raw => ({
  name: 'conf',
  configMap: { name: 'settings', defaultMode: 420, ...more },
});
const mount = (name: string, mountPath: string, more: Raw = {}): Raw => ({ name, mountPath, ...more });
const podWith = (volumes: readonly Raw[], volumeMounts: readonly Raw[], spec: Raw = {}) =>
  withContainer({ volumeMounts }, { volumes, ...spec });
const dir = { name: 'dir', emptyDir: {} };

const secretIn = (group: AgentGroup, name: string): Record<string, string> => {
  const volume = group.body.volumes.find((one) => one.name === name);
  const secret = volume !== undefined && 'secret' in volume ? volume.secret : {};
  return Object.fromEntries(
    Object.entries(secret).map(([file, data]) => [file, Buffer.from(data, 'base64').toString()]),
  );
};
const mountsOf = (group: AgentGroup, index = 0) =>
  group.body.containers[index]?.volumeMounts.filter(({ mountPath }) => !/^\/\.sk(-run|-orders)?$/.test(mountPath));

describe('install', () => {
  const group = grouped(
    podOf({
      hostAliases: [{ ip: '10.1.2.3', hostnames: ['db', 'db.example'] }],
      volumes: [settings({ defaultMode: 256 }), dir],
      initContainers: [rawContainer({ name: 'first' })],
      containers: [
        rawContainer({ workingDir: '/srv', volumeMounts: [mount('conf', '/etc/app'), mount('dir', '/data')] }),
      ],
    }),
    references({ user: '1000' }),
  );

  it('is the first init container, by digest, and has no environment', () =>
    expect(
      group.body.initContainers.map(({ name, image, command, environmentVariables }) => [
        name,
        image,
        command,
        environmentVariables.length,
      ]),
    ).toEqual([
      ['sk-install', `agents.azurecr.io/serverless-kubelet/agent@sha256:${'a9'.repeat(32)}`, ['/sk', 'install'], 0],
      ['first', 'busybox', undefined, expect.any(Number)],
    ]));

  it('writes where nobody else can, and sees the orders of each', () =>
    expect(group.body.initContainers[0]?.volumeMounts).toEqual([
      { name: 'sk-program', mountPath: '/.sk' },
      { name: 'sk-state', mountPath: '/.sk-run' },
      { name: 'sk-install-orders', mountPath: '/.sk-orders', readOnly: true },
      { name: 'sk-orders-0', mountPath: '/.sk-o/0' },
      { name: 'conf', mountPath: '/.sk-v/0' },
    ]));

  it('is told what is to be done', () =>
    expect(group.install).toEqual({
      schemaVersion: 1,
      kind: 'group',
      pod: { namespace: 'shop', name: 'web', uid: 'b7a0f6d2-0000-4000-8000-000000000002' },
      nonce: 'n0nce',
      report: expect.objectContaining({ kid: 'r1' }),
      containers: [{ name: 'main', uid: 1000, orders: '/.sk-o/0' }],
      volumes: [
        {
          name: 'conf',
          path: '/.sk-v/0',
          layout: 'flat',
          files: ['PLAIN', 'app.conf', 'b.c'].map((file) => ({ from: file, path: file, mode: 256 })),
          readOnly: true,
        },
      ],
      hosts: [{ ip: '10.1.2.3', hostnames: ['db', 'db.example'] }],
    }));

  it('leaves each container its own orders and no others', () =>
    expect(group.body.containers[0]?.volumeMounts.slice(-3)).toEqual([
      { name: 'sk-program', mountPath: '/.sk', readOnly: true },
      { name: 'sk-state', mountPath: '/.sk-run' },
      { name: 'sk-orders-0', mountPath: '/.sk-orders', readOnly: true },
    ]));

  const hash = 'ab'.repeat(32);
  const packaged = { downloadImage: 'busybox@sha256:1', appUrl: 'https://app', packaged: hash } as const;

  it('is downloaded where there is no registry, and compared with its hash', () => {
    const agent = { mode: 'auto', download: 'always', ...packaged } as const;
    const { body } = grouped(podOf({ hostname: 'a' }), references(), { ...node, agent });
    expect(body.initContainers[0]?.image).toBe('busybox@sha256:1');
    const [shell, , script, , ...words] = body.initContainers[0]?.command ?? [];
    expect([shell, words]).toEqual(['/bin/sh', [`https://app/api/agent/${hash}`, hash, '/.sk', expect.any(String)]]);
    expect(script).toContain('sha256sum -c');
    expect(body.tags['serverless-kubelet-agent']).toBe(`sha256:${hash}`);
  });

  it('is not downloaded in a subnet unless that is asked for, nor where there is an image', () => {
    const pod = podOf({ hostname: 'a' });
    const firstOf = (facts: typeof node) => grouped(pod, references(), facts).body.initContainers[0]?.image;
    const { subnetId: _, ...withoutSubnet } = node;
    expect(firstOf({ ...node, agent: { mode: 'auto', ...packaged } })).toBeUndefined();
    expect(firstOf({ ...withoutSubnet, agent: { mode: 'auto', ...packaged } })).toBe('busybox@sha256:1');
    const image = 'agent@sha256:2';
    expect(firstOf({ ...node, agent: { mode: 'auto', image, download: 'always', ...packaged } })).toBe(image);
  });

  it('has names that the pod has not', () => {
    const volumes = ['sk-program', 'sk-install-orders', 'sk-orders-0'].map((name) => ({ name, emptyDir: {} }));
    const { body } = grouped(
      podOf({
        volumes,
        containers: [
          rawContainer({
            name: 'sk-install',
            workingDir: '/srv',
            volumeMounts: volumes.map(({ name }) => mount(name, `/${name}`)),
          }),
        ],
      }),
    );
    const names = body.volumes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(body.initContainers[0]?.name).toBe('sk-install-1');
  });

  it('has places where no volume of the pod may be', () => {
    const pod = (spec: Raw) => podWith([dir], [mount('dir', '/.sk/./x')], spec);
    expect(translate(pod({ hostAliases: [{ ip: '10.1.2.3', hostnames: ['db'] }] }))).toMatchObject({
      kind: 'refused',
      message: 'spec.hostAliases: a volume is mounted at /.sk/x, where the agent has files of its own',
    });
    expect(grouped(pod({ hostname: 'a' })).install).toBeUndefined();
  });
});

describe('the files of a volume', () => {
  it('are a tree where one is in a folder', () => {
    const items = [
      { key: 'app.conf', path: 'conf.d/a.conf' },
      { key: 'PLAIN', path: 'plain', mode: 288 },
    ];
    const group = grouped(podWith([settings({ items })], [mount('conf', '/etc/app')]));
    expect(secretIn(group, 'conf')).toEqual({ f0: 'x=1', f1: 'p' });
    expect(group.install?.volumes).toEqual([
      {
        name: 'conf',
        path: '/.sk-v/0',
        layout: 'data',
        files: [
          { from: 'f0', path: 'conf.d/a.conf', mode: 420 },
          { from: 'f1', path: 'plain', mode: 288 },
        ],
        readOnly: true,
      },
    ]);
    expect(mountsOf(group)).toEqual([{ name: 'conf', mountPath: '/etc/app', readOnly: true }]);
    expect(group.orders).toEqual({});
  });

  it('are left to ACI where that is as good', () => {
    const group = grouped(
      podWith([settings(), dir], [mount('conf', '/etc/app'), mount('dir', '/d')], { hostname: 'a' }),
    );
    expect(group.install?.volumes).toBeUndefined();
    expect(secretIn(group, 'conf')).toEqual({ PLAIN: 'p', 'app.conf': 'x=1', 'b.c': 'dotted' });
  });

  it('of several sources are merged, the last of a path being there', () => {
    const sources = [
      { configMap: { name: 'settings', items: [{ key: 'PLAIN', path: 'a/x' }] } },
      { secret: { name: 'login', items: [{ key: 'password', path: './a/x', mode: 256 }] } },
      { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
    ];
    const group = grouped(podWith([{ name: 'all', projected: { sources, defaultMode: 416 } }], [mount('all', '/p')]));
    expect(group.install?.volumes?.[0]?.files).toEqual([
      { from: 'f0', path: 'a/x', mode: 256 },
      { from: 'f1', path: 'name', mode: 416 },
    ]);
    expect(secretIn(group, 'all')).toEqual({ f0: 's3cret', f1: 'web' });
  });

  it.each<[string, Partial<ImageConfig>, Raw]>([
    ['the group’s, where every container can be given it', {}, { mode: 288 }],
    ['their only reader’s, who can’t', { user: '1001' }, { mode: 288, uid: 1001 }],
    ['all’s, where nobody knows the reader', { user: 'nginx' }, { mode: 292 }],
  ])('with fsGroup are %s', (_, config, { mode, uid }) => {
    const pod = podWith([settings({ defaultMode: 288 })], [mount('conf', '/c')], {
      securityContext: { fsGroup: 2000 },
    });
    expect(grouped(pod, references(config)).install?.volumes).toEqual([
      {
        name: 'conf',
        path: '/.sk-v/0',
        layout: 'flat',
        files: ['PLAIN', 'app.conf', 'b.c'].map((file) => ({ from: file, path: file, mode })),
        ...(uid !== undefined && { uid }),
        fsGroup: 2000,
        readOnly: true,
      },
    ]);
  });

  it('with fsGroup alone need nothing: all may read them', () => {
    const spec = { securityContext: { fsGroup: 2000 } };
    expect(
      grouped(podWith([settings(), dir], [mount('conf', '/c'), mount('dir', '/d')], spec)).install,
    ).toBeUndefined();
    const { install } = grouped(podWith([dir], [mount('dir', '/d')], { ...spec, hostname: 'a' }));
    expect(install?.volumes).toEqual([{ name: 'dir', path: '/.sk-v/0', fsGroup: 2000 }]);
  });
});

const subPathsOf = (group: AgentGroup): readonly SubPath[] | undefined => group.orders['main']?.subPaths;

describe('a subPath', () => {
  it('of files: the volume is mounted beside, and the agent copies', () => {
    const group = grouped(podWith([settings()], [mount('conf', '/etc/app.conf', { subPath: 'app.conf' })]));
    expect(mountsOf(group)).toEqual([{ name: 'conf', mountPath: '/.sk-v/0', readOnly: true }]);
    expect(subPathsOf(group)).toEqual([
      { name: 'conf', volume: '/.sk-v/0', path: 'app.conf', mountPath: '/etc/app.conf', readOnly: true },
    ]);
  });

  it('of folders of an emptyDir that nobody mounts as a whole: a volume for each, without the agent', () => {
    const group = grouped(podWith([dir], [mount('dir', '/a', { subPath: '0' }), mount('dir', '/b', { subPath: '1' })]));
    expect([group.install, mountsOf(group)?.length]).toEqual([undefined, 2]);
  });

  it('of one that somebody mounts as a whole: a link', () => {
    const group = grouped(podWith([dir], [mount('dir', '/all'), mount('dir', '/b/', { subPath: './x//y' })]));
    expect(mountsOf(group)).toEqual([
      { name: 'dir', mountPath: '/all' },
      { name: 'dir', mountPath: '/.sk-v/0' },
    ]);
    expect(subPathsOf(group)).toEqual([{ name: 'dir', volume: '/.sk-v/0', path: 'x/y', mountPath: '/b' }]);
  });

  it.each<[string, Raw, unknown]>([
    ['with its variables', { subPathExpr: 'logs/$(POD)' }, 'logs/web'],
    ['with what only the group knows', { subPathExpr: '$(IP)/$$x' }, { template: '$(IP)/$$x' }],
  ])('by an expression, %s', (_, more, path) => {
    const env = [
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    ];
    const pod = withContainer({ env, volumeMounts: [mount('dir', '/l', more)] }, { volumes: [dir] });
    expect(subPathsOf(grouped(pod))?.map((one) => one.path)).toEqual([path]);
  });

  it('by an expression of which a variable is missing is waited for, as with a kubelet', () =>
    expect(translate(podWith([dir], [mount('dir', '/l', { subPathExpr: '$(NO)' })]))).toMatchObject({
      kind: 'waiting',
      field: 'spec.containers[0].volumeMounts[0].subPathExpr',
      message: 'spec.containers[0].volumeMounts[0].subPathExpr: missing value for "NO"',
    }));

  it.each<[string, readonly Raw[], number, string]>([
    [
      'that leads out of its volume',
      [mount('dir', '/l', { subPathExpr: 'a/../../b' })],
      0,
      'it leads out of its volume',
    ],
    [
      'that holds a mount',
      [mount('conf', '/l', { subPath: 'x' }), mount('dir', '/l/m')],
      0,
      'another volume is mounted inside of it, which a link can not hold',
    ],
    [
      'inside of a part of what nobody writes to',
      [mount('conf', '/l/a', { subPath: 'x' }), mount('conf', '/l', { subPath: 'y' })],
      0,
      'it is inside of the volume conf, which can not be written to',
    ],
    [
      'inside of what nobody writes to',
      [mount('conf', '/l'), mount('dir', '/l/m', { subPathExpr: 'x' })],
      1,
      'it is inside of the volume conf, which can not be written to',
    ],
  ])('%s is refused', (_, mounts, at, why) => {
    const name = mounts[at]?.['subPathExpr'] === undefined ? 'subPath' : 'subPathExpr';
    const field = `spec.containers[0].volumeMounts[${at}].${name}`;
    expect(translate(podWith([settings(), dir], mounts))).toMatchObject({
      kind: 'refused',
      message: `${field}: ${why}`,
    });
  });

  it('inside of a folder that is linked is put there after it', () => {
    const pod = podWith(
      [settings(), dir],
      [mount('dir', '/all'), mount('conf', '/l/a', { subPath: 'app.conf' }), mount('dir', '/l', { subPath: 'folder' })],
    );
    expect(subPathsOf(grouped(pod))?.map(({ mountPath }) => mountPath)).toEqual(['/l', '/l/a']);
  });

  it('inside of a volume that can be written to is put there', () => {
    const group = grouped(
      podWith([settings(), dir], [mount('dir', '/l'), mount('conf', '/l/a', { subPath: 'app.conf' })]),
    );
    expect(mountsOf(group)?.map(({ mountPath }) => mountPath)).toEqual(['/l', '/.sk-v/0']);
  });
});
