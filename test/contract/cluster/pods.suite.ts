import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { ended, eventually, faultOf, namespace, never, node, running, sibling, stranger, valueOf } from './harness.ts';
import type { ClusterUnderTest } from './harness.ts';

/** Pods as a node reads them, and the status that it writes. */
export function describePods(open: () => ClusterUnderTest): void {
  const api = () => open().nodeApi(node);
  const hands = () => open().hands;
  const podOf = async (name: string): Promise<Pod> => {
    const pod = valueOf(await api().getPod({ namespace, name }, never));
    if (pod === undefined) throw new Error(`no pod ${name}`);
    return pod;
  };
  const created = async (name: string, spec = {}): Promise<Pod> => {
    await hands().createPod({ name, nodeName: node, spec });
    return podOf(name);
  };
  const conditionTypes = (pod: Pod | undefined): string[] =>
    (pod?.status.conditions ?? []).map(({ type }) => type).toSorted();

  describe('pods that a node reads', () => {
    it('are its own: one of another node, or of none, or none at all, is absent and no fault', async () => {
      await hands().createPod({ name: 'read-mine', nodeName: node });
      await hands().createPod({ name: 'read-other', nodeName: stranger });
      await hands().createPod({ name: 'read-unbound' });
      const names = valueOf(await api().listPods(never)).map(({ metadata }) => metadata.name);
      expect(names).toContain('read-mine');
      expect(names).not.toContain('read-other');
      expect(names).not.toContain('read-unbound');
      expect((await podOf('read-mine')).spec.containers.map(({ image }) => image)).toEqual(['busybox']);
      for (const name of ['read-other', 'read-unbound', 'read-nothing'])
        expect(await api().getPod({ namespace, name }, never)).toEqual({ ok: true, value: undefined });
      expect(await api().getPod({ namespace: 'elsewhere', name: 'read-mine' }, never)).toEqual({
        ok: true,
        value: undefined,
      });
    });

    it('are read many at once, each as it is, and who is not there is absent', async () => {
      const names = Array.from({ length: 12 }, (_, index) => `many-${index}`);
      for (const name of names) await hands().createPod({ name, nodeName: node });
      const together = api();
      const all = await Promise.all(
        [...names, 'many-nothing', 'read-other'].map(
          async (name) => valueOf(await together.getPod({ namespace, name }, never))?.metadata.name,
        ),
      );
      expect(all).toEqual([...names, undefined, undefined]);
    });

    it('appear when the scheduler binds them, and keep their generation by that', async () => {
      const before = await hands().createPod({ name: 'bound-later' });
      await hands().bindPod('bound-later', node);
      const bound = await podOf('bound-later');
      expect(bound.metadata).toMatchObject({ uid: before.metadata.uid, generation: before.metadata.generation });
      expect(bound.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion);
      expect(bound.spec.nodeName).toBe(node);
      expect(bound.status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }]);
    });

    it('are whole: what the API server fills in is there', async () => {
      const pod = await created('defaults');
      expect(pod.metadata).toMatchObject({
        generation: 1,
        namespace,
        annotations: {},
        ownerReferences: [],
      });
      expect(pod.spec).toMatchObject({
        restartPolicy: 'Always',
        serviceAccountName: 'default',
        terminationGracePeriodSeconds: 30,
        enableServiceLinks: true,
      });
      expect(pod.status).toMatchObject({ phase: 'Pending', qosClass: 'BestEffort' });
      expect(pod.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    });

    it('have their quantities in canonical form, and limits as requests where none are said', async () => {
      const limits = { cpu: '0.5', memory: '1024Mi' };
      const pod = await created('quantities', { containers: [{ name: 'c', image: 'busybox', resources: { limits } }] });
      const canonical = { cpu: '500m', memory: '1Gi' };
      expect(pod.spec.containers[0]?.resources).toEqual({ limits: canonical, requests: canonical });
      expect(pod.status.qosClass).toBe('Guaranteed');
    });

    it('carry the region and the zone of their node as labels, however they came to it', async () => {
      const topology = {
        'topology.kubernetes.io/region': 'westeurope',
        'topology.kubernetes.io/zone': 'westeurope-1',
      };
      expect((await created('labelled')).metadata.labels).toEqual(topology);
      expect((await hands().createPod({ name: 'labelled-later' })).metadata.labels).toEqual({});
      await hands().bindPod('labelled-later', node);
      expect((await podOf('labelled-later')).metadata.labels).toEqual(topology);
    });

    it('carry the token, the CA and the namespace of their ServiceAccount as a volume, mounted in each container', async () => {
      const { spec } = await created('with-token');
      const volume = spec.volumes.find(({ source }) => source.kind === 'projected');
      expect(volume?.source).toMatchObject({
        sources: [
          { kind: 'serviceAccountToken', path: 'token' },
          { kind: 'configMap', name: 'kube-root-ca.crt' },
          { kind: 'downwardAPI' },
        ],
      });
      expect(spec.containers[0]?.volumeMounts).toMatchObject([
        { name: volume?.name, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
      ]);
      expect((await created('without-token', { automountServiceAccountToken: false })).spec.volumes).toEqual([]);
    });
  });

  describe('the status of a pod', () => {
    it('is read back as it was written', async () => {
      const pod = await created('written');
      const patched = valueOf(await api().patchPodStatus(pod, running(pod), never));
      const { conditions: _, ...status } = running(pod);
      expect(patched.status).toMatchObject({ ...status, qosClass: 'BestEffort' });
      expect(await podOf('written')).toEqual(patched);
      expect(patched.spec).toEqual(pod.spec);
      expect(patched.metadata).toEqual({ ...pod.metadata, resourceVersion: patched.metadata.resourceVersion });
      expect(patched.metadata.resourceVersion).not.toBe(pod.metadata.resourceVersion);
    });

    it('holds whole seconds, whatever was sent', async () => {
      const pod = await created('fractions');
      const status = { ...running(pod), startTime: '2026-11-23T05:00:00.987Z' };
      const state = { kind: 'running', startedAt: '2026-11-23T05:00:05.123456Z' } as const;
      const containerStatuses = status.containerStatuses.map((container) => ({ ...container, state }));
      const patched = valueOf(await api().patchPodStatus(pod, { ...status, containerStatuses }, never));
      expect(patched.status.startTime).toBe('2026-11-23T05:00:00Z');
      expect(patched.status.containerStatuses[0]?.state).toEqual({
        kind: 'running',
        startedAt: '2026-11-23T05:00:05Z',
      });
    });

    it('goes with annotations of the pod, which others keep theirs beside', async () => {
      await created('annotated');
      await hands().annotatePod('annotated', { some: 'body' });
      const first = await podOf('annotated');
      const annotations = { 'serverless-kubelet.io/tier': 'T1', 'serverless-kubelet.io/tier-reason': 'spec.x' };
      const second = valueOf(await api().patchPodStatus(first, { ...running(first), annotations }, never));
      expect(second.metadata.annotations).toEqual({ ...first.metadata.annotations, ...annotations });
      const none = { 'serverless-kubelet.io/tier': null, 'serverless-kubelet.io/tier-reason': null };
      const third = valueOf(await api().patchPodStatus(second, { ...running(second), annotations: none }, never));
      expect(third.metadata.annotations).toEqual(first.metadata.annotations);
      expect(await podOf('annotated')).toEqual(third);
    });

    it('is a conflict when the pod has changed since it was read', async () => {
      const before = await created('raced');
      await hands().annotatePod('raced', { some: 'body' });
      expect(faultOf(await api().patchPodStatus(before, running(before), never))).toBe('conflict Conflict');
      expect((await podOf('raced')).status.phase).toBe('Pending');
    });

    it('written a second time changes nothing: no new resourceVersion', async () => {
      const pod = await created('again');
      const first = valueOf(await api().patchPodStatus(pod, running(pod), never));
      const second = valueOf(await api().patchPodStatus(first, running(first), never));
      expect(second).toEqual(first);
    });

    it('leaves the conditions of other owners alone, and takes the reason of its own back', async () => {
      const pod = await created('conditions');
      await hands().setPodCondition('conditions', { type: 'example.com/gate', status: 'True', reason: 'G' });
      const fresh = await podOf('conditions');
      const notReady = [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'm' }] as const;
      const first = valueOf(await api().patchPodStatus(fresh, running(pod, { conditions: notReady }), never));
      expect(conditionTypes(first)).toEqual(expect.arrayContaining(['Ready', 'example.com/gate']));
      expect(conditionTypes(first)).not.toContain('DisruptionTarget');
      const second = valueOf(await api().patchPodStatus(first, running(pod), never));
      const ready = second.status.conditions.find(({ type }) => type === 'Ready');
      expect(ready).toEqual({ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-23T05:00:06Z' });
      expect(second.status.conditions).toContainEqual(
        expect.objectContaining({ type: 'example.com/gate', status: 'True', reason: 'G' }),
      );
    });

    it('gives addresses, reason and message up when they are no longer sent', async () => {
      const pod = await created('moved');
      const first = valueOf(await api().patchPodStatus(pod, running(pod, { reason: 'R', message: 'm' }), never));
      expect(first.status).toMatchObject({ podIP: '10.9.0.7', reason: 'R', message: 'm' });
      const second = valueOf(await api().patchPodStatus(first, running(pod, { podIP: '10.9.0.8' }), never));
      expect(second.status.podIP).toBe('10.9.0.8');
      const { podIP: _, ...without } = running(pod);
      const third = valueOf(await api().patchPodStatus(second, without, never));
      expect(third.status).not.toHaveProperty('podIP');
      expect(third.status).not.toHaveProperty('reason');
      expect(third.status).not.toHaveProperty('message');
    });

    it('is not-found for one that is gone, or that another took the place of, here or elsewhere', async () => {
      const old = await created('replaced');
      const isNotFound = async (): Promise<void> =>
        expect(faultOf(await api().patchPodStatus(old, running(old), never))).toBe('not-found');
      await hands().deletePod('replaced', { gracePeriodSeconds: 0 });
      await isNotFound();
      for (const nodeName of [node, stranger]) {
        await hands().createPod({ name: 'replaced', nodeName });
        await isNotFound();
        expect((await hands().getPod('replaced'))?.status.phase).toBe('Pending');
        await hands().deletePod('replaced', { gracePeriodSeconds: 0 });
      }
    });

    it.each(['status-sibling', 'status-unbound'])(
      'of a pod that is not the node’s own is not-found, and stays as it is: %s',
      async (name) => {
        const pod = await hands().createPod({ name, ...(name === 'status-unbound' ? {} : { nodeName: sibling }) });
        expect(faultOf(await api().patchPodStatus(pod, running(pod), never))).toBe('not-found');
        expect((await hands().getPod(name))?.status.phase).toBe('Pending');
      },
    );

    it('is rejected when an address is none', async () => {
      const pod = await created('bad-address');
      const bad = running(pod, { podIP: 'not an address' });
      expect(faultOf(await api().patchPodStatus(pod, bad, never))).toBe('rejected Invalid');
    });

    it.each([
      ['Never', 0, 'rejected Invalid'],
      ['Never', 3, 'rejected Invalid'],
      ['OnFailure', 0, 'rejected Invalid'],
      ['OnFailure', 3, 'ok'],
      ['Always', 0, 'ok'],
    ])(
      'of restartPolicy %s, container ended with %i, that shows it running again: %s',
      async (policy, code, answer) => {
        const pod = await created(`again-${policy.toLowerCase()}-${code}`, { restartPolicy: policy });
        const over = valueOf(await api().patchPodStatus(pod, { ...ended(pod, code), phase: 'Running' }, never));
        expect(faultOf(await api().patchPodStatus(over, running(over), never))).toBe(answer);
      },
    );

    it('is transient when there is no time left, and nothing is written', async () => {
      const pod = await created('late');
      expect(faultOf(await api().patchPodStatus(pod, running(pod), AbortSignal.abort()))).toBe('transient');
      expect((await podOf('late')).status.phase).toBe('Pending');
    });
  });

  describe('the generation of a pod', () => {
    it('grows with the spec, and neither with metadata nor with status', async () => {
      const pod = await created('generation');
      await hands().annotatePod('generation', { a: 'b' });
      const annotated = await podOf('generation');
      expect(annotated.metadata).toMatchObject({ generation: 1, annotations: { a: 'b' } });
      valueOf(await api().patchPodStatus(annotated, running(pod), never));
      expect((await podOf('generation')).metadata.generation).toBe(1);
      await hands().setImage('generation', 'busybox:2');
      const changed = await podOf('generation');
      expect(changed.metadata.generation).toBe(2);
      expect(changed.spec.containers[0]?.image).toBe('busybox:2');
      expect(changed.status.phase).toBe('Running');
      await hands().setImage('generation', 'busybox:2');
      expect((await podOf('generation')).metadata).toEqual(changed.metadata);
    });
  });

  it('the API server’s time is known after the first answer', async () => {
    await eventually(
      () => api().listPods(never),
      ({ ok }) => ok,
    );
    expect(open().nodeApi(node).now()).toBeTypeOf('number');
  });
}
