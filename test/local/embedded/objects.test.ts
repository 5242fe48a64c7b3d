import { describe, expect, it } from 'vitest';
import { createObject } from '../../../infra/local/sim/api-server/create.ts';
import { versionOf } from '../../../infra/local/sim/api-server/json-access.ts';
import { findResource } from '../../../infra/local/sim/api-server/resources.ts';
import { messageOf, podManifest, testCluster, messageOrOk, seen, valueOf } from './cluster.ts';

describe('an object', () => {
  it('is created once, with what only the server writes', () => {
    const world = testCluster();
    const created = seen(
      world.create('configmaps', { metadata: { name: 'c', uid: 'mine', resourceVersion: '7', generation: 9 } }),
    );
    expect(created).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default' } });
    expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(created.metadata).not.toHaveProperty('generation');
    expect(messageOrOk(world.create('configmaps', { metadata: { name: 'c' } }))).toBe('409 AlreadyExists');
  });

  it('gets a name of its own by generateName', () => {
    const world = testCluster();
    const made = seen(world.create('configmaps', { metadata: { generateName: 'c-' } }));
    expect(made.metadata.name).toMatch(/^c-[a-z0-9]{5}$/);
  });

  it.each([
    ['another kind', { kind: 'Pod', metadata: { name: 'x' } }, '400 BadRequest'],
    ['another version', { apiVersion: 'v2', metadata: { name: 'x' } }, '400 BadRequest'],
    ['another namespace', { metadata: { name: 'x', namespace: 'other' } }, '400 BadRequest'],
    ['no name', { metadata: {} }, '422 Invalid'],
    ['a name with capitals', { metadata: { name: 'X' } }, '422 Invalid'],
    ['a label that is none', { metadata: { name: 'x', labels: { 'a b': '1' } } }, '422 Invalid'],
    ['metadata that are a text', { metadata: 'x' }, '400 BadRequest'],
  ])('with %s is refused', (_, body, reported) => {
    expect(messageOrOk(testCluster().create('configmaps', body))).toBe(reported);
  });

  it('needs a namespace that is there and stays', () => {
    const world = testCluster();
    expect(messageOrOk(world.create('pods', podManifest('p', {}, {})))).toBe('ok');
    valueOf(world.create('namespaces', { metadata: { name: 'n' } }));
    valueOf(world.delete('namespaces', 'n'));
    world.run(1);
    expect(world.get('namespaces', 'n')).toBeUndefined();
  });

  it('is written only from the version that is there', () => {
    const world = testCluster();
    const first = valueOf(world.create('configmaps', { metadata: { name: 'c' }, data: { a: '1' } }));
    const second = seen(world.replace('configmaps', 'c', { ...first, data: { a: '2' } }));
    expect(messageOrOk(world.replace('configmaps', 'c', { ...first, data: { a: '3' } }))).toBe('409 Conflict');
    expect(messageOrOk(world.patch('configmaps', 'c', { metadata: { resourceVersion: '1' } }))).toBe('409 Conflict');
    expect(messageOrOk(world.replace('configmaps', 'c', { metadata: { name: 'c' }, data: { a: '4' } }))).toBe('ok');
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(versionOf(first)));
  });

  it('keeps its version when nothing changes', () => {
    const world = testCluster();
    const first = seen(world.create('configmaps', { metadata: { name: 'c' }, data: { a: '1' } }));
    const same = seen(world.patch('configmaps', 'c', { data: { a: '1' } }));
    expect(same.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  it('of another UID is not touched', () => {
    const world = testCluster();
    valueOf(world.create('configmaps', { metadata: { name: 'c' } }));
    expect(messageOrOk(world.replace('configmaps', 'c', { metadata: { name: 'c', uid: 'u' } }))).toBe('409 Conflict');
    expect(messageOf(world.patch('configmaps', 'c', { metadata: { uid: 'u' } }))).toContain('field is immutable');
    expect(messageOf(world.delete('configmaps', 'c', { uid: 'u' }))).toContain('UID in the precondition');
  });

  it('that is a Lease needs its version and six decimals', () => {
    const world = testCluster();
    const lease = (renewTime: string) => ({ metadata: { name: 'n' }, spec: { renewTime } });
    expect(messageOf(world.create('leases', lease('2026-11-23T12:00:00.000Z')))).toContain('.000000Z07:00');
    valueOf(world.create('leases', lease('2026-11-23T12:00:00.000000Z')));
    expect(messageOf(world.replace('leases', 'n', lease('2026-11-23T12:00:01.000000Z')))).toBe(
      'Lease.coordination.k8s.io "n" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
  });

  it('with finalizers goes when they are gone', () => {
    const world = testCluster();
    valueOf(world.create('configmaps', { metadata: { name: 'c', finalizers: ['example.com/f'] } }));
    expect(valueOf(world.delete('configmaps', 'c')).isGone).toBe(false);
    expect(world.get('configmaps', 'c').metadata.deletionTimestamp).toBe('2026-11-23T12:00:00Z');
    valueOf(world.patch('configmaps', 'c', { metadata: { finalizers: null } }));
    expect(world.get('configmaps', 'c')).toBeUndefined();
  });

  it('that is a Secret is kept as base64, and its bad values are not reported', () => {
    const world = testCluster();
    valueOf(world.create('secrets', { metadata: { name: 's' }, stringData: { a: 'b' } }));
    expect(world.get('secrets', 's')).toMatchObject({ type: 'Opaque', data: { a: 'Yg==' } });
    const refused = world.create('secrets', { metadata: { name: 't' }, data: { key: 'planted!' } });
    expect(messageOf(refused)).toContain('"key"');
    expect(messageOf(refused)).not.toContain('planted');
  });

  it.each(['deployments', 'jobs'])('of a kind that needs a controller is refused by name: %s', (plural) => {
    const world = testCluster();
    const group = plural === 'jobs' ? 'batch' : 'apps';
    const resource = findResource(group, 'v1', plural);
    if (resource === undefined) throw new Error(`no ${plural}`);
    const target = { user: undefined, resource, subresource: '', namespace: 'default', name: '' };
    const refused = createObject(world.state(), target, { metadata: { name: 'd' } });
    expect(messageOrOk(refused)).toBe('405 MethodNotAllowed');
    expect(messageOf(refused)).toContain(`the embedded cluster has no controllers, so it has no ${resource.kind}`);
  });
});

describe('server-side apply', () => {
  const apply = { type: 'apply-patch+yaml' };
  it('creates, changes, and takes away what it no longer names, but not what others wrote', () => {
    const world = testCluster();
    valueOf(world.patch('configmaps', 'c', { metadata: { name: 'c' }, data: { a: '1', b: '2' } }, apply));
    valueOf(world.patch('configmaps', 'c', { data: { other: '9' } }));
    valueOf(world.patch('configmaps', 'c', { metadata: { name: 'c' }, data: { a: '3' } }, apply));
    expect(world.get('configmaps', 'c').data).toEqual({ a: '3', other: '9' });
  });
});
