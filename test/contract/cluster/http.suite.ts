import { describe, expect, it } from 'vitest';
import { asNode, openWatch, request } from '../../../shared/adapters/kubernetes/http.ts';
import type { KubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import { eventually, faultOf, namespace, never, node, running, sibling, stranger, valueOf } from './harness.ts';
import type { HttpClusterUnderTest } from './http-cluster.ts';
import { WatchReader, listVersion } from './watch-reader.ts';

const podsPath = '/api/v1/pods';
const inDefault = `/api/v1/namespaces/${namespace}`;
const json = (value: unknown): Record<string, unknown> => value as Record<string, unknown>;

/** What the relay and the app meet that is HTTP's alone: watches, pages, single reads, and rights. */
export function describeHttp(open: () => HttpClusterUnderTest): void {
  const hands = () => open().hands;
  const ownPods = (name = node): Record<string, string> => ({ fieldSelector: `spec.nodeName=${name}` });
  const get = async (client: KubernetesClient, path: string, query: Record<string, string> = {}) =>
    request(client, { method: 'GET', path, query }, json, never);

  describe.concurrent('a watch', () => {
    const watchFrom = (version: string, query: Record<string, string> = {}): WatchReader =>
      new WatchReader(open().relay, podsPath, {
        ...ownPods(),
        resourceVersion: version,
        timeoutSeconds: '4',
        ...query,
      });

    it('reports in order what became of a pod, each under its own version, and ends cleanly', async () => {
      const from = await listVersion(open().relay, podsPath, ownPods());
      const watch = watchFrom(from);
      const pod = await hands().createPod({ name: 'watched', nodeName: node });
      const own = open().nodeApi(node);
      const patched = valueOf(await own.patchPodStatus(pod, running(pod), never));
      valueOf(await own.patchPodStatus(patched, running(pod), never));
      await hands().deletePod('watched');
      await hands().deletePod('watched', { gracePeriodSeconds: 0 });
      await hands().createPod({ name: 'watched-forced', nodeName: node });
      await hands().deletePod('watched-forced', { gracePeriodSeconds: 0 });
      expect(await watch.ended).toEqual({ ok: true, value: undefined });
      const seen = watch.of('watched');
      // A shortening to nothing is one more change, before the end.
      expect(seen.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'MODIFIED', 'MODIFIED', 'DELETED']);
      expect(watch.of('watched-forced').map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
      const versions = seen.map(({ version }) => version);
      expect(new Set(versions).size).toBe(5);
      expect(versions).toEqual(versions.toSorted((left, right) => left - right));
      expect(versions[0]).toBeGreaterThan(Number(from));
      expect(seen.at(-1)?.object).toMatchObject({ kind: 'Pod', metadata: { uid: pod.metadata.uid } });
    });

    it('from a version in the past says what has happened since, once', async () => {
      const from = await listVersion(open().relay, podsPath, ownPods());
      await hands().createPod({ name: 'past', nodeName: node });
      await hands().annotatePod('past', { a: 'b' });
      const between = String((await hands().getPod('past'))?.metadata.resourceVersion);
      await hands().annotatePod('past', { a: 'c' });
      const [all, later] = [watchFrom(from), watchFrom(between)];
      await Promise.all([all.ended, later.ended]);
      expect(all.of('past').map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'MODIFIED']);
      expect(later.of('past').map(({ type }) => type)).toEqual(['MODIFIED']);
    });

    it('of a node begins for a pod when it is bound, and hears nothing of other nodes', async () => {
      const from = await listVersion(open().relay, podsPath, ownPods());
      const watch = watchFrom(from);
      await hands().createPod({ name: 'not-watched', nodeName: stranger });
      await hands().createPod({ name: 'bound-watched' });
      await hands().bindPod('bound-watched', node);
      await watch.ended;
      expect(watch.of('not-watched')).toEqual([]);
      expect(watch.of('bound-watched').map(({ type }) => type)).toEqual(['ADDED']);
    });

    it('sends a bookmark before its end: the version up to which nothing was left out', async () => {
      const from = await listVersion(open().relay, podsPath, ownPods());
      const watch = watchFrom(from, { allowWatchBookmarks: 'true' });
      await hands().createPod({ name: 'elsewhere', nodeName: stranger });
      const version = Number((await hands().getPod('elsewhere'))?.metadata.resourceVersion);
      await watch.ended;
      const bookmark = watch.events.findLast(({ type }) => type === 'BOOKMARK');
      expect(bookmark?.version).toBeGreaterThanOrEqual(version);
      expect(bookmark?.object).toMatchObject({ kind: 'Pod', apiVersion: 'v1' });
      const next = watchFrom(String(bookmark?.version), { timeoutSeconds: '1' });
      expect(await next.ended).toEqual({ ok: true, value: undefined });
      expect(next.events.filter((event) => event.version <= Number(bookmark?.version))).toEqual([]);
    });

    it('without allowWatchBookmarks has none', async () => {
      const watch = watchFrom(await listVersion(open().relay, podsPath, ownPods()), { timeoutSeconds: '3' });
      await watch.ended;
      expect(watch.events.filter(({ type }) => type === 'BOOKMARK')).toEqual([]);
    });

    it('without a version says what is there first', async () => {
      await hands().createPod({ name: 'there-before', nodeName: node });
      const watch = new WatchReader(open().relay, podsPath, { ...ownPods(), timeoutSeconds: '2' });
      await watch.ended;
      expect(watch.of('there-before').map(({ type }) => type)).toEqual(['ADDED']);
    });

    it('from a version that is yet to come is silent, whatever happens, and ends cleanly', async () => {
      const watch = watchFrom('99999999', { timeoutSeconds: '2', allowWatchBookmarks: 'true' });
      await hands().createPod({ name: 'before-its-time', nodeName: node });
      expect(await watch.ended).toEqual({ ok: true, value: undefined });
      expect(watch.events).toEqual([]);
    });

    it('of a node, as that node, is allowed; of all pods it is denied', async () => {
      const own = asNode(open().app, node);
      const query = { watch: '1', timeoutSeconds: '1' };
      const options = { signal: never, onLine: () => undefined, inactivityTimeoutMs: 10_000 };
      expect(await openWatch(own, podsPath, { ...query, ...ownPods() }, options)).toEqual({
        ok: true,
        value: undefined,
      });
      expect(faultOf(await openWatch(own, podsPath, query, options))).toBe('denied');
      expect(faultOf(await openWatch(own, podsPath, { ...query, ...ownPods(sibling) }, options))).toBe('denied');
    });
  });

  describe('a list', () => {
    it('comes in pages that are at the first page’s version', async () => {
      for (const name of ['page-1', 'page-2', 'page-3']) await hands().createPod({ name, nodeName: stranger });
      const names: unknown[] = [];
      const versions = new Set<unknown>();
      let query: Record<string, string> = { ...ownPods(stranger), limit: '2' };
      for (let page = 0; page < 50; page += 1) {
        const list = valueOf(await get(open().relay, podsPath, query));
        const { items, metadata } = list as {
          items: { metadata: { name: string } }[];
          metadata: Record<string, string>;
        };
        expect(items.length).toBeLessThanOrEqual(2);
        names.push(...items.map((item) => item.metadata.name));
        versions.add(metadata['resourceVersion']);
        if (page === 0) await hands().createPod({ name: 'page-9', nodeName: stranger });
        const next = metadata['continue'] ?? '';
        if (next === '') break;
        query = { ...ownPods(stranger), limit: '2', continue: next };
      }
      expect(names).toEqual(expect.arrayContaining(['page-1', 'page-2', 'page-3']));
      expect(names).not.toContain('page-9');
      expect(new Set(names).size).toBe(names.length);
      expect(versions.size).toBe(1);
    });

    it('with a continue token that is none is rejected', async () => {
      const answer = await get(open().relay, podsPath, { limit: '2', continue: 'nonsense' });
      expect(faultOf(answer)).toBe('rejected BadRequest');
    });

    it('with a field selector that the server does not know is rejected', async () => {
      const answer = await get(open().relay, podsPath, { fieldSelector: 'spec.image=busybox' });
      expect(faultOf(answer)).toBe('rejected BadRequest');
    });
  });

  describe('the Node authorizer', () => {
    it('lets a node GET its own pod, and denies any other, be it there or not', async () => {
      const own = asNode(open().app, node);
      await hands().createPod({ name: 'get-mine', nodeName: node });
      await hands().createPod({ name: 'get-other', nodeName: sibling });
      const answer = async (name: string): Promise<string> => faultOf(await get(own, `${inDefault}/pods/${name}`));
      expect(
        await eventually(
          () => answer('get-mine'),
          (seen) => seen === 'ok',
        ),
      ).toBe('ok');
      expect(await answer('get-other')).toBe('denied');
      expect(await answer('get-nothing')).toBe('denied');
    });

    it.each([
      ['pods of all nodes', podsPath],
      ['pods of a namespace', `${inDefault}/pods`],
      ['secrets', `${inDefault}/secrets`],
      ['the namespace kube-system', '/api/v1/namespaces/kube-system'],
      ['nodes of all', '/api/v1/nodes'],
      ['another node’s Lease', `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${sibling}`],
    ])('denies a node %s', async (_, path) => {
      expect(faultOf(await get(asNode(open().app, node), path))).toBe('denied');
    });

    it('denies a node the deletion and the taints of its own Node', async () => {
      const own = asNode(open().app, node);
      const path = `/api/v1/nodes/${node}`;
      const body = { spec: { taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }] } };
      expect(faultOf(await request(own, { method: 'PATCH', path, body }, json, never))).toBe('denied');
      expect(faultOf(await request(own, { method: 'DELETE', path }, json, never))).toBe('denied');
    });
  });

  describe('rights', () => {
    it.each([
      ['secrets', `${inDefault}/secrets`],
      ['pods', podsPath],
      ['nodes', '/api/v1/nodes'],
      ['another namespace', `/api/v1/namespaces/${namespace}`],
    ])('the app itself reads no %s', async (_, path) => {
      expect(faultOf(await get(open().app, path))).toBe('denied');
    });

    it('the app is only its own nodes, and touches no other', async () => {
      const other = open().nodeApi(stranger);
      expect(faultOf(await other.listPods(never))).toBe('denied');
      expect(faultOf(await other.getNode(never))).toBe('denied');
      expect(faultOf(await open().api.deleteNode(stranger, 'x', never))).toBe('denied');
      const metadata = { name: stranger, uid: 'x', resourceVersion: '1', labels: {}, annotations: {} };
      expect(faultOf(await open().api.patchNode({ metadata }, { unschedulable: true }, never))).toBe('denied');
    });

    it('the relay lists pods, is nobody else, and reads neither secrets nor ConfigMaps', async () => {
      expect(faultOf(await get(open().relay, podsPath, ownPods()))).toBe('ok');
      expect(faultOf(await get(asNode(open().relay, node), podsPath, ownPods()))).toBe('denied');
      for (const kind of ['secrets', 'configmaps', 'serviceaccounts'])
        expect(faultOf(await get(open().relay, `${inDefault}/${kind}`))).toBe('denied');
    });

    it('a token that is none is denied', async () => {
      const { config } = open().relay;
      const nobody = { ...open().relay, config: { ...config, getToken: async () => 'nobody' } };
      expect(faultOf(await get(nobody, podsPath, ownPods()))).toBe('denied');
    });
  });

  describe('the status subresource', () => {
    it('is the only way to a status, and no way to a spec', async () => {
      const pod = await hands().createPod({ name: 'apart', nodeName: node });
      const headers = { 'content-type': 'application/merge-patch+json' };
      const patch = (path: string, body: object) => open().admin.send({ method: 'PATCH', path, body, headers });
      await patch(`${inDefault}/pods/apart`, { status: { phase: 'Failed' } });
      await patch(`${inDefault}/pods/apart/status`, { spec: { activeDeadlineSeconds: 5 } });
      expect(await hands().getPod('apart')).toEqual(pod);
      const refused = await patch(`${inDefault}/pods/apart`, { spec: { nodeName: sibling } });
      expect(refused.status).toBe(422);
    });
  });

  it('a watch from a version that is too old is an ERROR of code 410, and nothing else', async () => {
    const query = { ...ownPods(), timeoutSeconds: '4' };
    const from = await listVersion(open().relay, podsPath, ownPods());
    await hands().createPod({ name: 'forgotten', nodeName: node });
    await open().forgetHistory();
    const watch = new WatchReader(open().relay, podsPath, { ...query, resourceVersion: from });
    await watch.ended;
    expect(watch.events.map(({ type, object }) => [type, object['code'], object['reason']])).toEqual([
      ['ERROR', 410, 'Expired'],
    ]);
  });
}
