import { describe, expect, it } from 'vitest';
import { listObjects, watchEvent } from '../../../infra/local/sim/api-server/list.ts';
import { matches, parseFields, parseLabels, parseSelection } from '../../../infra/local/sim/api-server/selectors.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import { podManifest, resourceOf, testCluster, messageOrOk, seen, valueOf } from './cluster.ts';
import type { Seen } from './cluster.ts';

const pods = resourceOf('pods');
const select = (fields = '', labels = '') => ({
  resource: pods,
  namespace: '',
  selection: valueOf(parseSelection(pods, fields, labels)),
});

describe('selectors', () => {
  const pod: JsonObject = {
    metadata: { name: 'p', namespace: 'default', labels: { app: 'web', tier: 'front' } },
    spec: { nodeName: 'aci-1' },
    status: { phase: 'Running' },
  };
  it.each([
    ['spec.nodeName=aci-1', '', true],
    ['spec.nodeName==aci-1,metadata.name=p', '', true],
    ['spec.nodeName=aci-2', '', false],
    ['status.phase!=Failed,status.phase!=Succeeded', '', true],
    ['status.podIP=', '', true],
    ['spec.hostNetwork=false', '', true],
    ['', 'app=web', true],
    ['', 'app==web,tier!=back', true],
    ['', 'app in (web, db),tier notin (back)', true],
    ['', 'app notin (web)', false],
    ['', 'app,!gone', true],
    ['', 'gone', false],
    ['', 'gone!=x', true],
  ])('%s %s: %s', (fields, labels, does) => {
    const { selection } = select(fields, labels);
    expect(matches(pod, selection)).toBe(does);
  });

  it('an escaped comma is part of a value', () => {
    expect(parseFields(String.raw`metadata.name=a\,b\=c\\d`)).toEqual([
      { field: 'metadata.name', isEqual: true, value: String.raw`a,b=c\d` },
    ]);
  });

  it.each(['spec.image=x', 'metadata.name'])('refuses the field selector %s with 400', (text) => {
    expect(messageOrOk(parseSelection(pods, text, ''))).toBe('400 BadRequest');
  });
  it.each(['a b', 'a in b', '=x', 'a in (x'])('refuses the label selector %s', (text) => {
    expect(parseLabels(text)).toBeUndefined();
  });
});

describe('a list in pages', () => {
  const first = { limit: 2, continueToken: '', resourceVersion: '' };
  const filled = () => {
    const world = testCluster();
    for (const name of ['a', 'b', 'c', 'd', 'e']) valueOf(world.create('pods', podManifest(name)));
    return world;
  };
  const names = (list: Seen): readonly string[] => list.items.map((item) => item.metadata.name);

  it('shows the state of its first page to the end, in order', () => {
    const world = filled();
    const one = seen(listObjects(world.state(), select(), first));
    expect(one).toMatchObject({ kind: 'PodList', metadata: { remainingItemCount: 3 } });
    valueOf(world.delete('pods', 'd', { gracePeriodSeconds: 0 }));
    const two = seen(listObjects(world.state(), select(), { ...first, continueToken: one.metadata.continue }));
    const three = seen(listObjects(world.state(), select(), { ...first, continueToken: two.metadata.continue }));
    expect([names(one), names(two), names(three)]).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect(new Set([one, two, three].map((page) => page.metadata.resourceVersion)).size).toBe(1);
    expect(three.metadata.continue).toBeUndefined();
  });

  it('is too old after five minutes, and a bad request for a token that is none', () => {
    const world = filled();
    const one = seen(listObjects(world.state(), select(), first));
    const next = { ...first, continueToken: one.metadata.continue };
    world.clock.now += 301_000;
    expect(messageOrOk(listObjects(world.state(), select(), next))).toBe('410 Expired');
    expect(messageOrOk(listObjects(world.state(), select(), { ...first, continueToken: 'x' }))).toBe('400 BadRequest');
  });

  it('of a version to come is a 504, of none a 400', () => {
    const world = filled();
    const at = (resourceVersion: string) =>
      messageOrOk(listObjects(world.state(), select(), { ...first, resourceVersion }));
    expect([at('0'), at('101'), at('99999'), at('x')]).toEqual(['ok', 'ok', '504 Timeout', '400 BadRequest']);
  });
});

describe('a watch', () => {
  it('sees a pod come when it is bound, change, and go', () => {
    const world = testCluster();
    const seen: string[] = [];
    world.state().store.subscribe((change) => {
      const event = watchEvent(change, select('spec.nodeName=n'));
      if (event !== undefined) seen.push(event.type);
    });
    valueOf(world.create('pods', podManifest('p')));
    expect(seen).toEqual([]);
    world.cluster.pods.patchSpec({ namespace: 'default', name: 'p' }, { nodeName: 'n' });
    valueOf(world.patch('pods', 'p', { metadata: { labels: { a: 'b' } } }));
    world.cluster.pods.patchSpec({ namespace: 'default', name: 'p' }, { nodeName: 'm' });
    expect(seen).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  });

  it('can begin where the history does, and not before', () => {
    const world = testCluster({ historySize: 4 });
    const { store } = world.state();
    const start = store.version;
    for (let count = 0; count < 3; count += 1) valueOf(world.create('pods', podManifest(`p${count}`)));
    const changes = store.changesSince(start);
    expect(changes === 'expired' ? changes : changes.map(({ version }) => version)).toEqual([
      start + 1,
      start + 2,
      start + 3,
    ]);
    for (let count = 3; count < 20; count += 1) valueOf(world.create('pods', podManifest(`p${count}`)));
    expect(store.changesSince(start)).toBe('expired');
    expect(store.changesSince(store.version)).toEqual([]);
    store.compact();
    expect(store.changesSince(store.version - 1)).toBe('expired');
  });
});
