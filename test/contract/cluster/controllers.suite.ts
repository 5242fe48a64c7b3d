import { describe, expect, it } from 'vitest';
import type { NodeCondition } from '../../../shared/core/kubernetes/node.ts';
import { never, node, nodeTemplate, running, sibling, valueOf } from './harness.ts';
import type { ClusterUnderTest } from './harness.ts';

/**
 * PodGC polls every 20 s, and waits 40 s before it believes that a node is gone; a tick of the lifecycle is 5 s. Twice
 * what that takes: controllers of a busy machine come late.
 */
const collectedMs = 170_000;
const polls = 34;

const witness = 'vm-2';
/** A heartbeat is another time than the last one; which, is no matter to them. */
const beat = (poll: number): NodeCondition => {
  const at = new Date(Date.UTC(2026, 0, 1) + poll * 1000).toISOString().replace('.000Z', 'Z');
  return {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    message: '',
    lastHeartbeatTime: at,
    lastTransitionTime: at,
  };
};

/** What controllers do to a pod whose node is silent, or gone. It takes a minute and more of the cluster's time. */
export function describeControllers(open: () => ClusterUnderTest): void {
  const hands = () => open().hands;
  const readyOf = (conditions: readonly { type: string; status: string }[] | undefined): string | undefined =>
    conditions?.find(({ type }) => type === 'Ready')?.status;

  describe('the controllers', () => {
    it('find a silent node unreachable and its pods not ready; pods of a node that is gone fail and go', async () => {
      // Where no node at all is heard of, the controllers take it for their own fault, and taint nobody.
      await hands().createNode(witness);
      const silent = open().nodeApi(node);
      const gone = open().nodeApi(sibling);
      if (!(await silent.getNode(never)).ok) valueOf(await silent.createNode(nodeTemplate(node), never));
      const created = valueOf(await gone.createNode(nodeTemplate(sibling), never));
      const stays = await hands().createPod({ name: 'on-silent', nodeName: node });
      valueOf(await silent.patchPodStatus(stays, running(stays), never));
      await hands().createPod({ name: 'on-gone', nodeName: sibling });
      valueOf(await open().api.deleteNode(sibling, created.metadata.uid, never));
      for (let poll = 0; poll < polls; poll += 1) {
        await open().elapse(collectedMs / polls);
        await hands().setNodeCondition(witness, beat(poll));
        const seen = valueOf(await silent.getNode(never));
        const pod = await hands().getPod('on-silent');
        const isOver =
          readyOf(seen.status.conditions) === 'Unknown' &&
          readyOf(pod?.status.conditions) === 'False' &&
          // Two taints, one after the other.
          seen.taints.some(({ effect }) => effect === 'NoExecute') &&
          (await hands().getPod('on-gone')) === undefined;
        if (isOver) break;
      }
      const seen = valueOf(await silent.getNode(never));
      const ready: NodeCondition | undefined = seen.status.conditions.find(({ type }) => type === 'Ready');
      expect(ready).toMatchObject({ status: 'Unknown', reason: 'NodeStatusUnknown' });
      expect(seen.taints).toContainEqual(
        expect.objectContaining({ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }),
      );
      const pod = await hands().getPod('on-silent');
      expect(readyOf(pod?.status.conditions)).toBe('False');
      expect(pod?.status.phase).toBe('Running');
      expect(await hands().getPod('on-gone')).toBeUndefined();
    });
  });
}
