import { describe, expect, it } from 'vitest';
import type { KubeNode, NodeChange } from '../../../shared/core/kubernetes/node.ts';
import { eventually, faultOf, never, node, nodeTemplate, sibling, valueOf, whenAllowed } from './harness.ts';
import type { ClusterUnderTest } from './harness.ts';

/** What the app asks as itself. */
export function describeApp(open: () => ClusterUnderTest): void {
  const api = () => open().api;
  const hands = () => open().hands;

  describe('the app as itself', () => {
    it('knows the cluster', async () => {
      expect(valueOf(await api().getClusterUid(never))).toBe(open().clusterUid);
    });

    it('asks who a token is: for its own audience only, and until it expires', async () => {
      const review = async (token: string, audience = 'app') =>
        valueOf(await api().reviewToken(token, audience, never));
      const token = await hands().relayToken('app');
      const identity = await review(token);
      expect(identity?.username).toBe(open().relayUsername);
      expect(identity?.groups).toEqual(expect.arrayContaining(['system:serviceaccounts', 'system:authenticated']));
      expect(await review(token, 'another')).toBeUndefined();
      expect(await review(await hands().relayToken('another'))).toBeUndefined();
      expect(await review(await hands().relayToken('app', { expired: true }))).toBeUndefined();
      expect(await review('not a token')).toBeUndefined();
      expect(await review(`${token.slice(0, -8)}AAAAAAAA`)).toBeUndefined();
    });

    /** Controllers may write the Node between the read and the patch. */
    const changed = (change: NodeChange): Promise<KubeNode> =>
      whenAllowed(async () => api().patchNode(valueOf(await open().nodeApi(node).getNode(never)), change, never));

    it('changes what is named of a node, and nothing else', async () => {
      const before = valueOf(await open().nodeApi(node).getNode(never));
      const labels = { 'kubernetes.azure.com/managed': 'true', 'node-role.kubernetes.io/agent': '' };
      const labelled = await changed({ labels });
      expect(labelled.metadata.labels).toEqual({ ...before.metadata.labels, ...labels });
      const note = { 'example.com/note': 'x' };
      const cordoned = await changed({ annotations: note, unschedulable: true });
      expect(cordoned.unschedulable).toBe(true);
      expect(cordoned.metadata.annotations).toEqual({ ...labelled.metadata.annotations, ...note });
      expect(cordoned.metadata.labels).toEqual(labelled.metadata.labels);
      const free = await changed({ annotations: { 'example.com/note': null }, unschedulable: false });
      expect(free.unschedulable).toBe(false);
      expect(free.metadata.annotations).toEqual(labelled.metadata.annotations);
      expect((await hands().getNode(node))?.metadata.labels).toEqual(free.metadata.labels);
    });

    it('replaces the taints of a node, and keeps of the others what they had', async () => {
      const { taints } = valueOf(await open().nodeApi(node).getNode(never));
      const theirs = { key: 'example.com/theirs', effect: 'NoSchedule', timeAdded: '2026-11-23T05:00:00Z' };
      const tainted = await changed({ taints: [...taints, theirs] });
      expect(tainted.taints).toContainEqual(theirs);
      const again = await changed({ taints: tainted.taints });
      expect(again.taints).toEqual(tainted.taints);
      expect((await changed({ taints: [theirs] })).taints).toContainEqual(theirs);
      const last = await changed({ taints });
      expect(last.taints).toContainEqual(taints[0]);
      expect(last.taints).not.toContainEqual(theirs);
    });

    it('changes a node only as it was read', async () => {
      const read = valueOf(await open().nodeApi(node).getNode(never));
      const { labels } = await changed({ labels: { 'example.com/x': '1' } }).then(({ metadata }) => metadata);
      const late = await api().patchNode(read, { labels: { 'example.com/x': '2' } }, never);
      expect(faultOf(late)).toBe('conflict Conflict');
      expect((await hands().getNode(node))?.metadata.labels).toEqual(labels);
    });

    it('is refused a label or a taint that is none, and a node that is not there', async () => {
      const refused = async (change: NodeChange, name = node): Promise<string> => {
        const attempt = async (): Promise<string> => {
          const read = valueOf(await open().nodeApi(node).getNode(never));
          return faultOf(await api().patchNode({ metadata: { ...read.metadata, name } }, change, never));
        };
        return eventually(attempt, (answer) => !answer.startsWith('conflict'));
      };
      expect(await refused({ labels: { 'example.com/x': 'not a value' } })).toBe('rejected Invalid');
      expect(await refused({ labels: { 'not a key': '' } })).toBe('rejected Invalid');
      expect(await refused({ taints: [{ key: 'example.com/x', effect: 'Never' }] })).toBe('rejected Invalid');
      const twice = { key: 'example.com/x', effect: 'NoSchedule' };
      expect(await refused({ taints: [twice, { ...twice, value: 'y' }] })).toBe('rejected Invalid');
      expect(await refused({ labels: { 'example.com/x': '3' } }, sibling)).toBe('not-found');
    });

    it('deletes a node by its UID, touches no other, and may do so twice', async () => {
      const own = open().nodeApi(node);
      const { uid } = valueOf(await own.getNode(never)).metadata;
      valueOf(await api().deleteNode(node, 'another-uid', never));
      expect(valueOf(await own.getNode(never)).metadata.uid).toBe(uid);
      valueOf(await api().deleteNode(node, uid, never));
      valueOf(await api().deleteNode(node, uid, never));
      expect(faultOf(await own.getNode(never))).toBe('not-found');
      const next = valueOf(await own.createNode(nodeTemplate(node), never));
      expect(next.metadata.uid).not.toBe(uid);
      valueOf(await api().deleteNode(node, uid, never));
      expect(valueOf(await own.getNode(never)).metadata.uid).toBe(next.metadata.uid);
    });
  });
}
