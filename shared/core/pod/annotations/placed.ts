import { failedAt } from '../../agent/findings/probed-place.ts';
import { defined } from '../../defined.ts';
import type { NodeFacts } from '../translation.ts';
import type { GroupWishes } from './wishes.ts';

/** The largest groups of other kinds than the node's (docs/aci.md, Limits of a group). */
const largestSpot = { cpu: 4, memoryInGB: 16 };
const largestConfidential = { cpu: 31, memoryInGB: 180 };

/** What of a node an annotation can change. */
type Place = Pick<NodeFacts, 'location' | 'zone' | 'subnetId' | 'maxGroup' | 'probes' | 'failed'>;

export const isSpot = ({ priority }: GroupWishes): boolean => priority === 'Spot';

export const isConfidential = ({ sku, ccePolicy }: GroupWishes): boolean =>
  sku === 'Confidential' || ccePolicy !== undefined;

/** What has room of its own in a region; undefined: ordinary groups. */
export function groupKind(wishes: GroupWishes): 'spot' | 'confidential' | undefined {
  if (isSpot(wishes)) return 'spot';
  return isConfidential(wishes) ? 'confidential' : undefined;
}

function largest({ maxGroup }: Pick<Place, 'maxGroup'>, wishes: GroupWishes): Place['maxGroup'] {
  const kinds = [
    maxGroup,
    ...(isSpot(wishes) ? [largestSpot] : []),
    ...(isConfidential(wishes) ? [largestConfidential] : []),
  ];
  return {
    cpu: Math.min(...kinds.map(({ cpu }) => cpu)),
    memoryInGB: Math.min(...kinds.map(({ memoryInGB }) => memoryInGB)),
  };
}

/** Undefined: outside of every subnet. */
export function placedSubnet(node: string | undefined, { subnet = node }: GroupWishes): string | undefined {
  return subnet === 'none' ? undefined : subnet;
}

/** The node's place, as far as no annotation of the pod says another. */
export function placed<T extends Place>(facts: T, wishes: GroupWishes): Omit<T, keyof Place> & Place {
  const { zone, subnetId, maxGroup, location, probes, failed: _, ...others } = facts;
  const ownSubnet = placedSubnet(subnetId, wishes);
  const sku = isConfidential(wishes) ? 'Confidential' : 'Standard';
  // Spot groups are in no zone.
  const ownZone = isSpot(wishes) ? '' : (wishes.zone ?? zone);
  return {
    ...others,
    location,
    ...defined({
      subnetId: ownSubnet,
      zone: ownZone === '' ? undefined : ownZone,
      probes,
      failed: failedAt(probes, { region: location, subnet: ownSubnet ?? null, sku }),
    }),
    maxGroup: largest({ maxGroup }, wishes),
  };
}
