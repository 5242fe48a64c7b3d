import { describe, expect, it } from 'vitest';
import { eventually, faultOf, never, node, nodeTemplate, sibling, stranger, valueOf } from './harness.ts';
import type { ClusterUnderTest } from './harness.ts';

/** The Node and its Lease. The rows build on one another: `aci-1` lives from the first to the last. */
export function describeNodes(open: () => ClusterUnderTest): void {
  const api = () => open().nodeApi(node);
  const hands = () => open().hands;
  const template = nodeTemplate(node);

  describe('a node', () => {
    it('is not there at first; neither is its Lease', async () => {
      expect(faultOf(await api().getNode(never))).toBe('not-found');
      expect(faultOf(await api().patchNodeStatus(template.status, never))).toBe('not-found');
      expect(faultOf(await api().getLease(never))).toBe('not-found');
    });

    it('is not created under another name, nor with a label that a node may not set', async () => {
      expect(faultOf(await api().createNode(nodeTemplate(stranger), never))).toBe('denied');
      expect(faultOf(await api().createNode(nodeTemplate(sibling), never))).toBe('denied');
      const labels = { ...template.labels, 'node-role.kubernetes.io/agent': '' };
      expect(faultOf(await api().createNode({ ...template, labels }, never))).toBe('denied');
      expect(await hands().getNode(node)).toBeUndefined();
    });

    it('is created whole, in one POST', async () => {
      const created = valueOf(await api().createNode(template, never));
      expect(created.metadata).toMatchObject({ labels: template.labels, annotations: template.annotations });
      expect(created.taints).toContainEqual(template.taints[0]);
      expect(created.status).toMatchObject(template.status);
      expect(created.unschedulable).toBe(false);
      expect((await hands().getNode(node))?.metadata.uid).toBe(created.metadata.uid);
    });

    it('is not created twice', async () => {
      expect(faultOf(await api().createNode(template, never))).toBe('conflict AlreadyExists');
    });

    it('status: what is gone goes, conditions of others stay', async () => {
      const foreign = { type: 'example.com/Foreign', status: 'True', reason: 'R', message: 'm' } as const;
      const at = { lastHeartbeatTime: '2026-11-23T05:00:00Z', lastTransitionTime: '2026-11-23T05:00:00Z' };
      await hands().setNodeCondition(node, { ...foreign, ...at });
      const patch = {
        ...template.status,
        capacity: { cpu: '50' },
        allocatable: { cpu: '40' },
        addresses: [{ type: 'InternalIP', address: '10.0.0.2' }],
        kubeletPort: 10251,
      };
      const patched = valueOf(await api().patchNodeStatus(patch, never));
      expect(patched.status.capacity).toEqual({ cpu: '50' });
      expect(patched.status.allocatable).toEqual({ cpu: '40' });
      expect(patched.status.addresses).toEqual(patch.addresses);
      expect(patched.status.kubeletPort).toBe(10251);
      expect(patched.status.conditions.map(({ type }) => type)).toEqual(
        expect.arrayContaining(['Ready', 'example.com/Foreign']),
      );
      expect(patched.metadata.labels).toMatchObject(template.labels);
    });

    it('status: quantities come back in their canonical form', async () => {
      const capacity = { cpu: '1500m', memory: '2048Mi', pods: '1k', 'ephemeral-storage': '1536Mi' };
      const patched = valueOf(await api().patchNodeStatus({ ...template.status, capacity }, never));
      expect(patched.status.capacity).toEqual({ ...capacity, memory: '2Gi' });
      const whole = { ...template.status, capacity: { cpu: '1000m' } };
      expect(valueOf(await api().patchNodeStatus(whole, never)).status.capacity).toEqual({ cpu: '1' });
    });

    it('status: the same once more gives no new resourceVersion', async () => {
      // The controllers may still be at work on a new node.
      const isUnchanged = async (): Promise<boolean> => {
        const first = valueOf(await api().patchNodeStatus(template.status, never));
        const second = valueOf(await api().patchNodeStatus(template.status, never));
        return first.metadata.resourceVersion === second.metadata.resourceVersion;
      };
      expect(await eventually(isUnchanged, (same) => same)).toBe(true);
    });

    it('may read, and not write, a node of another', async () => {
      await hands().createNode(stranger);
      const before = await hands().getNode(stranger);
      expect(faultOf(await api().createNode(nodeTemplate(stranger), never))).toBe('denied');
      expect((await hands().getNode(stranger))?.metadata.uid).toBe(before?.metadata.uid);
    });
  });

  describe('a Lease', () => {
    const renewTimeMicros = 1_795_411_200_000_123;
    const lease = { name: node, holderIdentity: node, leaseDurationSeconds: 40, renewTimeMicros };

    it('is created and renewed, not created twice, and not renewed by one who has not seen the last renewal', async () => {
      const { uid } = valueOf(await api().getNode(never)).metadata;
      const created = valueOf(await api().createLease({ ...lease, ownerUid: uid }, never));
      expect(created).toMatchObject({ ...lease, ownerUid: uid });
      const later = { ...created, renewTimeMicros: renewTimeMicros + 1_000_001 };
      const renewed = valueOf(await api().updateLease(later, never));
      expect(valueOf(await api().getLease(never))).toEqual(renewed);
      expect(renewed).toEqual({ ...later, resourceVersion: renewed.resourceVersion });
      expect(faultOf(await api().updateLease(created, never))).toBe('conflict Conflict');
      expect(faultOf(await api().createLease(lease, never))).toBe('conflict AlreadyExists');
      expect(valueOf(await api().getLease(never))).toEqual(renewed);
    });

    it('of another node is denied', async () => {
      expect(faultOf(await api().createLease({ ...lease, name: sibling }, never))).toBe('denied');
      expect(faultOf(await open().nodeApi(sibling).getLease(never))).toBe('not-found');
    });

    it('is not updated without the version that was seen', async () => {
      const { resourceVersion: _, ...unversioned } = valueOf(await api().getLease(never));
      expect(faultOf(await api().updateLease(unversioned, never))).toBe('rejected Invalid');
    });

    it('goes, and may go again; a late renewal makes it anew, for whoever is left to collect it', async () => {
      const last = valueOf(await api().getLease(never));
      expect(await api().deleteLease(never)).toEqual({ ok: true, value: undefined });
      expect(await api().deleteLease(never)).toEqual({ ok: true, value: undefined });
      const again = valueOf(await api().updateLease(last, never));
      expect(again).toEqual({ ...last, resourceVersion: again.resourceVersion });
      expect(valueOf(await api().getLease(never))).toEqual(again);
      valueOf(await api().deleteLease(never));
    });

    it('goes with its Node, and with no other', async () => {
      const { uid } = valueOf(await api().getNode(never)).metadata;
      valueOf(await api().createLease({ ...lease, ownerUid: uid }, never));
      await hands().deleteNode(node);
      const gone = await eventually(
        async () => faultOf(await api().getLease(never)),
        (answer) => answer === 'not-found',
      );
      expect(gone).toBe('not-found');
      valueOf(await api().createNode(template, never));
    });
  });
}
