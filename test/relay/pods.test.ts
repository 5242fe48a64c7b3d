import { describe, expect, it } from 'vitest';
import { parsePodPage } from '../../infra/cluster/relay/pods/pod-page.ts';
import { PodSet } from '../../infra/cluster/relay/pods/pod-set.ts';
import { retryDelayMs } from '../../infra/cluster/relay/pods/retry-delay.ts';
import { parseWatchEvent } from '../../infra/cluster/relay/pods/watch-event.ts';
import { parseWatchedPod } from '../../infra/cluster/relay/pods/watched-pod.ts';
import type { WatchedPod } from '../../infra/cluster/relay/pods/watched-pod.ts';

const podJson = (uid: string, over: { meta?: object; status?: object } = {}) => ({
  metadata: { namespace: 'default', name: 'p', uid, resourceVersion: '1', generation: 1, ...over.meta },
  spec: { containers: [{ name: 'c', image: 'i', env: [{ name: 'A', value: 'secret-value' }] }] },
  status: { phase: 'Pending', conditions: [{ type: 'Ready', status: 'False' }], ...over.status },
});
function watched(uid: string, over: { meta?: object; status?: object } = {}): WatchedPod {
  const pod = parseWatchedPod(podJson(uid, over), 'aci-1');
  if (pod === undefined) throw new Error('not a pod');
  return pod;
}

describe('what is kept of a pod', () => {
  it('is its key and nothing of its spec', () => {
    const pod = watched('u1', { meta: { deletionTimestamp: '2026-11-23T11:00:00Z' } });
    expect(pod.key).toEqual({
      node: 'aci-1',
      namespace: 'default',
      name: 'p',
      uid: 'u1',
      resourceVersion: '1',
      generation: 1,
      deletionTimestamp: '2026-11-23T11:00:00Z',
    });
    expect(JSON.stringify(pod)).not.toContain('secret-value');
  });

  const base = watched('u1').hash;
  it.each([
    ['generation', { meta: { generation: 2 } }],
    ['deletionTimestamp', { meta: { deletionTimestamp: '2026-11-23T11:00:00Z' } }],
    ['phase', { status: { phase: 'Running' } }],
    ["a condition's status", { status: { conditions: [{ type: 'Ready', status: 'True' }] } }],
    ['a condition of somebody else', { status: { conditions: [{ type: 'x/y', status: 'True' }] } }],
  ])('its hash changes with %s', (_what, over) => expect(watched('u1', over).hash).not.toBe(base));

  it.each([
    ['resourceVersion', { meta: { resourceVersion: '2' } }],
    ['labels', { meta: { labels: { a: 'b' } } }],
    ["a condition's message and time", { status: { conditions: [{ type: 'Ready', status: 'False', message: 'm' }] } }],
    ['container states', { status: { containerStatuses: [{ name: 'c', restartCount: 3 }] } }],
  ])('its hash does not change with %s', (_what, over) => expect(watched('u1', over).hash).toBe(base));

  it.each([[{}], ['<html>'], [null], [{ metadata: { name: 'p' } }]])('%j is no pod', (json) =>
    expect(parseWatchedPod(json, 'aci-1')).toBeUndefined(),
  );
});

describe('a pod that the app would not take', () => {
  it.each([
    ['a name', { name: 'a_b' }],
    ['a namespace', { namespace: '../x' }],
    ['a UID', { uid: 'u.1' }],
    ['a generation', { generation: 1.5 }],
    ['a resourceVersion', { resourceVersion: '9'.repeat(65) }],
  ])('for %s is no pod: it would have its whole post refused', (_what, meta) =>
    expect(parseWatchedPod(podJson('u1', { meta }), 'aci-1')).toBeUndefined(),
  );
});

describe('the pods of a node', () => {
  it('reports a pod once, until something new is said of it', () => {
    const set = new PodSet();
    expect(set.change(watched('u1'))?.uid).toBe('u1');
    expect(set.change(watched('u1', { meta: { resourceVersion: '2' } }))).toBeUndefined();
    expect(set.change(watched('u1', { status: { phase: 'Running' } }))?.uid).toBe('u1');
  });

  it('a list reports all that are there, and of those that went unseen', () => {
    const set = new PodSet();
    set.replace([watched('u1'), watched('u2')]);
    const reported = set.replace([watched('u2'), watched('u3')]);
    expect(reported.map(({ uid, resourceVersion }) => `${uid} ${resourceVersion}`).toSorted()).toEqual([
      'u1 ',
      'u2 1',
      'u3 1',
    ]);
    expect(set.size).toBe(2);
  });

  it('a pod deleted and created anew under its name within a gap is two pods', () => {
    const set = new PodSet();
    set.replace([watched('old')]);
    expect(set.replace([watched('new')]).map(({ uid }) => uid)).toEqual(['new', 'old']);
  });

  it('a deletion is always reported', () => {
    const set = new PodSet();
    set.change(watched('u1'));
    // Without a version: the app may know the last one.
    expect(set.remove(watched('u1'))).toMatchObject({ uid: 'u1', resourceVersion: '' });
    expect(set.size).toBe(0);
  });
});

describe('a line of a watch', () => {
  const line = (type: string, object: unknown) => parseWatchEvent(JSON.stringify({ type, object }));
  const object = { metadata: { resourceVersion: '7' } };
  it.each([
    ['ADDED', { kind: 'changed', resourceVersion: '7', object }],
    ['MODIFIED', { kind: 'changed', resourceVersion: '7', object }],
    ['DELETED', { kind: 'deleted', resourceVersion: '7', object }],
    ['BOOKMARK', { kind: 'bookmark', resourceVersion: '7' }],
    ['SURPRISE', { kind: 'garbage' }],
  ])('%s', (type, event) => expect(line(type, object)).toEqual(event));

  it('ERROR reports its code', () => {
    expect(line('ERROR', { kind: 'Status', code: 410, message: 'too old' })).toEqual({
      kind: 'error',
      code: 410,
      message: 'too old',
    });
    expect(line('ERROR', null)).toEqual({ kind: 'error', code: 0, message: '' });
  });

  it.each([['{'], ['[]'], ['<html></html>'], ['{"type":"ADDED","object":{}}']])('%s is garbage', (text) =>
    expect(parseWatchEvent(text)).toEqual({ kind: 'garbage' }),
  );
});

describe('a page of a list', () => {
  const page = (over: object) => ({ kind: 'PodList', metadata: { resourceVersion: '9' }, items: [], ...over });
  it('has the version from which a watch goes on', () => {
    expect(parsePodPage(page({ items: [podJson('u1')] }), 'aci-1')).toMatchObject({ resourceVersion: '9' });
  });
  it.each([
    ['another kind', page({ kind: 'Status' })],
    ['an item that is no pod', page({ items: [{}] })],
    ['no version', page({ metadata: {} })],
  ])('%s is refused whole: a partial list would show pods as gone', (_what, json) =>
    expect(parsePodPage(json, 'aci-1')).toBeUndefined(),
  );
});

describe('the wait before a list is tried again', () => {
  it('is between half a second and thirty, and grows', () => {
    expect(retryDelayMs(undefined, 0)).toBe(500);
    expect(retryDelayMs(undefined, 0.999)).toBeLessThanOrEqual(1500);
    expect(retryDelayMs(20_000, 0.999)).toBe(30_000);
    let delay: number | undefined;
    for (let attempt = 0; attempt < 10; attempt += 1) delay = retryDelayMs(delay, 0.9);
    expect(delay).toBe(30_000);
  });
});
