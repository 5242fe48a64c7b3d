import type { GroupExtension } from '../group/group.ts';
import { isConfidential } from './annotations/placed.ts';
import type { GroupWishes } from './annotations/wishes.ts';
import type { NodeFacts } from './translation.ts';

/** The only version that is known (docs/aci.md, Requests). */
const extensionVersion = '1.0';

/**
 * ACI's realtime-metrics extension, which shows at the pod's address what its containers use. Only in a subnet, and ACI
 * takes no extensions in Confidential groups; Spot groups are in no subnet.
 */
export function realtimeMetrics(
  { subnetId, realtimeMetrics: isWanted = false }: Pick<NodeFacts, 'subnetId' | 'realtimeMetrics'>,
  wishes: GroupWishes,
): readonly GroupExtension[] {
  if (!isWanted || subnetId === undefined || wishes.realtimeMetrics === false || isConfidential(wishes)) return [];
  return [{ name: 'realtime-metrics', extensionType: 'realtime-metrics', version: extensionVersion }];
}
