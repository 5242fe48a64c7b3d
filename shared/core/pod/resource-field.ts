import type { Container, ResourceFieldSelector } from '../kubernetes/pod.ts';
import { ceilDivide, oneUnit, parseQuantity } from '../quantity/quantity.ts';
import type { NanoUnits } from '../quantity/quantity.ts';
import { unreachable } from './evaluation.ts';
import type { Steps } from './resources.ts';
import type { NodeFacts } from './translation.ts';

export interface ResourceScope {
  readonly allocatable: NodeFacts['allocatable'];
  /** What the group requests in all. */
  readonly total: Steps;
}

/** A group's disk (docs/aci.md, Limits of a group). */
export const groupStorageBytes = 50_000_000_000n;

const resources = ['cpu', 'memory', 'ephemeral-storage'] as const;
type ResourceName = (typeof resources)[number];

const shape = /^(requests|limits)\.(.+)$/;

interface ResourceField {
  readonly map: 'requests' | 'limits';
  readonly name: ResourceName;
}

/** `limits.cpu` and the like; undefined for what a group has not. */
export function parseResourceField(resource: string): ResourceField | undefined {
  const match = shape.exec(resource);
  const name = resources.find((known) => known === match?.[2]);
  return name === undefined ? undefined : { map: match?.[1] === 'limits' ? 'limits' : 'requests', name };
}

const smaller = (left: NanoUnits, right: NanoUnits | undefined): NanoUnits =>
  right !== undefined && right < left ? right : left;

/** What a container without a limit can really use: never more than its group. */
function granted(name: ResourceName, { allocatable, total }: ResourceScope): NanoUnits {
  switch (name) {
    case 'cpu':
      return smaller((BigInt(total.centiCores) * oneUnit) / 100n, parseQuantity(allocatable.cpu));
    case 'memory':
      return smaller(BigInt(total.deciGigabytes) * 100_000_000n * oneUnit, parseQuantity(allocatable.memory));
    case 'ephemeral-storage':
      return groupStorageBytes * oneUnit;
    default:
      return unreachable(name);
  }
}

/** A `resourceFieldRef` in units of its divisor, rounded up (kubelet: `resource.ConvertResource…ToString`); undefined when it names nothing. */
export function resourceFieldValue(
  container: Container,
  selector: ResourceFieldSelector,
  scope: ResourceScope,
): string | undefined {
  const field = parseResourceField(selector.resource);
  if (field === undefined) return undefined;
  const own = parseQuantity(container.resources[field.map][field.name] ?? '0') ?? 0n;
  const value = own === 0n && field.map === 'limits' ? granted(field.name, scope) : own;
  const divisor = parseQuantity(selector.divisor ?? '1') ?? 0n;
  return ceilDivide(value, divisor > 0n ? divisor : oneUnit).toString();
}
