import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { ended, faultOf, namespace, never, node, running, sibling, stranger, valueOf } from './harness.ts';
import type { ClusterUnderTest } from './harness.ts';

/** How pods go: by users, by the node, and not at all. */
export function describeDeletion(open: () => ClusterUnderTest): void {
  const api = () => open().nodeApi(node);
  const hands = () => open().hands;
  const seen = (name: string): Promise<Pod | undefined> => hands().getPod(name);
  const present = async (name: string): Promise<Pod> => {
    const pod = await seen(name);
    if (pod === undefined) throw new Error(`no pod ${name}`);
    return pod;
  };
  const created = (name: string, more: { finalizers?: readonly string[]; spec?: object } = {}): Promise<Pod> =>
    hands().createPod({ name, nodeName: node, finalizers: more.finalizers ?? [], spec: { ...more.spec } });
  const atSecond = (text: string | undefined): number => Date.parse(text ?? '') / 1000;

  describe('a pod that a user deletes', () => {
    it('stays for its own grace period: a deadline, a new generation, its status as it was', async () => {
      const pod = await created('graceful');
      valueOf(await api().patchPodStatus(pod, running(pod), never));
      await hands().deletePod('graceful');
      const deleted = await present('graceful');
      expect(deleted.metadata).toMatchObject({ uid: pod.metadata.uid, generation: 2, deletionGracePeriodSeconds: 30 });
      const now = Math.floor((open().nodeApi(node).now() ?? 0) / 1000);
      expect(Math.abs(atSecond(deleted.metadata.deletionTimestamp) - now - 30)).toBeLessThanOrEqual(3);
      expect(deleted.status.phase).toBe('Running');
      expect(valueOf(await api().getPod({ namespace, name: 'graceful' }, never))).toEqual(deleted);
    });

    it('a second request with the same, a longer or no period changes nothing', async () => {
      await created('twice');
      await hands().deletePod('twice', { gracePeriodSeconds: 60 });
      const first = await present('twice');
      for (const options of [{}, { gracePeriodSeconds: 60 }, { gracePeriodSeconds: 90 }]) {
        await hands().deletePod('twice', options);
        expect(await seen('twice')).toEqual(first);
      }
    });

    it('a shorter period counts from the first request, and gives no new generation', async () => {
      await created('shorter');
      await hands().deletePod('shorter', { gracePeriodSeconds: 100 });
      const first = await present('shorter');
      await open().elapse(1500);
      await hands().deletePod('shorter', { gracePeriodSeconds: 10 });
      const second = await present('shorter');
      expect(second.metadata).toMatchObject({ generation: 2, deletionGracePeriodSeconds: 10 });
      expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
      const moved = atSecond(first.metadata.deletionTimestamp) - atSecond(second.metadata.deletionTimestamp);
      expect(moved).toBe(90);
    });

    it('with grace 0 it is gone at once', async () => {
      await created('forced');
      await hands().deletePod('forced', { gracePeriodSeconds: 0 });
      expect(await seen('forced')).toBeUndefined();
      await created('forced-later');
      await hands().deletePod('forced-later');
      await hands().deletePod('forced-later', { gracePeriodSeconds: 0 });
      expect(await seen('forced-later')).toBeUndefined();
    });

    it('is gone at once when it is bound nowhere, whatever the period', async () => {
      await hands().createPod({ name: 'unbound' });
      await hands().deletePod('unbound', { gracePeriodSeconds: 30 });
      expect(await seen('unbound')).toBeUndefined();
    });

    it.each([0, 3])('is gone at once when it has ended with %i', async (exitCode) => {
      const pod = await created(`over-${exitCode}`, { spec: { restartPolicy: 'Never' } });
      valueOf(await api().patchPodStatus(pod, ended(pod, exitCode), never));
      await hands().deletePod(`over-${exitCode}`);
      expect(await seen(`over-${exitCode}`)).toBeUndefined();
    });

    it('and that ends meanwhile waits for the node all the same', async () => {
      await created('ends-meanwhile', { spec: { restartPolicy: 'Never' } });
      await hands().deletePod('ends-meanwhile');
      const pod = await present('ends-meanwhile');
      valueOf(await api().patchPodStatus(pod, ended(pod, 0), never));
      await hands().deletePod('ends-meanwhile');
      expect((await present('ends-meanwhile')).metadata.deletionGracePeriodSeconds).toBe(30);
    });

    it('is not touched when its UID is another', async () => {
      const pod = await created('other-uid');
      await hands().deletePod('other-uid', { uid: 'another', gracePeriodSeconds: 0 });
      expect(await seen('other-uid')).toEqual(pod);
    });

    it('with terminationGracePeriodSeconds 0 is gone at once', async () => {
      await created('no-grace', { spec: { terminationGracePeriodSeconds: 0 } });
      await hands().deletePod('no-grace');
      expect(await seen('no-grace')).toBeUndefined();
    });
  });

  describe('a pod with a finalizer', () => {
    it('outlives the node’s DELETE until the finalizer goes', async () => {
      const pod = await created('held', { finalizers: ['example.com/held'] });
      await hands().deletePod('held', { gracePeriodSeconds: 20 });
      valueOf(await api().deletePod(pod, {}, never));
      const held = await present('held');
      expect(held.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, generation: 2 });
      valueOf(await api().deletePod(pod, {}, never));
      expect(await seen('held')).toEqual(held);
      await hands().removeFinalizers('held');
      expect(await seen('held')).toBeUndefined();
    });

    it('whose finalizer goes first stays for the node', async () => {
      const pod = await created('released', { finalizers: ['example.com/held'] });
      await hands().deletePod('released', { gracePeriodSeconds: 20 });
      await hands().removeFinalizers('released');
      expect((await present('released')).metadata.deletionGracePeriodSeconds).toBe(20);
      valueOf(await api().deletePod(pod, {}, never));
      expect(await seen('released')).toBeUndefined();
    });

    it('and grace 0 has a deadline that is over and a new generation, and its status can still be written', async () => {
      await created('held-0', { finalizers: ['example.com/held'] });
      await hands().deletePod('held-0', { gracePeriodSeconds: 0 });
      const held = await present('held-0');
      expect(held.metadata).toMatchObject({ generation: 2, deletionGracePeriodSeconds: 0 });
      expect(held.metadata.deletionTimestamp).toBeDefined();
      const patched = valueOf(await api().patchPodStatus(held, running(held), never));
      expect(patched.status.phase).toBe('Running');
      await hands().removeFinalizers('held-0');
      expect(await seen('held-0')).toBeUndefined();
    });
  });

  describe('a pod that its node deletes', () => {
    it('gracefully, then for good; a third time is no fault', async () => {
      const pod = await created('by-node');
      valueOf(await api().deletePod(pod, { gracePeriodSeconds: 30 }, never));
      expect((await present('by-node')).metadata.deletionGracePeriodSeconds).toBe(30);
      valueOf(await api().deletePod(pod, {}, never));
      expect(await seen('by-node')).toBeUndefined();
      valueOf(await api().deletePod(pod, {}, never));
    });

    it.each([node, stranger])('is not another of the same name, on %s', async (nodeName) => {
      const old = await created('successor');
      await hands().deletePod('successor', { gracePeriodSeconds: 0 });
      const successor = await hands().createPod({ name: 'successor', nodeName });
      expect(await api().deletePod(old, {}, never)).toEqual({ ok: true, value: undefined });
      expect(await seen('successor')).toEqual(successor);
      await hands().deletePod('successor', { gracePeriodSeconds: 0 });
    });

    it('is its own: of another node’s it is denied', async () => {
      const foreign = await hands().createPod({ name: 'foreign', nodeName: sibling });
      expect(faultOf(await api().deletePod(foreign, {}, never))).toBe('denied');
      expect(await seen('foreign')).toEqual(foreign);
    });
  });
}
