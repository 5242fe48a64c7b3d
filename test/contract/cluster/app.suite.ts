import { describe, expect, it } from 'vitest';
import { faultOf, never, node, nodeTemplate, sibling, valueOf } from './harness.ts';
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

    it('cordons a node; cordoning it again is no fault', async () => {
      valueOf(await api().cordonNode(node, never));
      valueOf(await api().cordonNode(node, never));
      expect(valueOf(await open().nodeApi(node).getNode(never)).unschedulable).toBe(true);
      expect(faultOf(await api().cordonNode(sibling, never))).toBe('not-found');
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
