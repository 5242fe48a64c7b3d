import { aci } from './errors.ts';
import type { ArmFault } from './errors.ts';
import { isTerminated } from './group-state.ts';
import type { GroupEntry } from './group-store.ts';
import type { EmulatorOptions } from './options.ts';
import { requestedCpu } from './wire.ts';
import type { GroupBody } from './wire.ts';

/** What a region's groups hold: slots until deletion, cores until all containers have ended (inferred). */
export function usageOf(
  groups: readonly GroupEntry[],
  region: string,
): { readonly groups: number; readonly cores: number } {
  const here = groups.filter((g) => g.region === region);
  const cores = here.filter((g) => countsCores(g)).reduce((total, g) => total + requestedCpu(g.body), 0);
  return { groups: here.length, cores: Math.ceil(cores) };
}

/** Spot and the other skus have quotas of their own, which the emulator does not hold. */
function isStandard({ properties: { sku = 'Standard', priority } }: GroupBody): boolean {
  return sku === 'Standard' && priority !== 'Spot';
}

function countsCores(entry: GroupEntry): boolean {
  if (!isStandard(entry.body)) return false;
  return !entry.status.stopped && !isTerminated(entry.status) && entry.status.provisioningState !== 'Failed';
}

/** The refusal of a new group that the quota has no room for. `existing` is the group that a PUT replaces. */
export function checkQuota(
  groups: readonly GroupEntry[],
  wanted: { readonly body: GroupBody; readonly location: string; readonly region: string },
  existing: GroupEntry | undefined,
  options: EmulatorOptions,
): ArmFault | undefined {
  const usage = usageOf(
    groups.filter((g) => g !== existing),
    wanted.region,
  );
  const { containerGroups, standardCores } = options.quota;
  const refuse = (name: string, limit: number, used: number, requested: number): ArmFault =>
    aci.quotaReached(options.quotaStatus, { name, location: wanted.location, limit, usage: used, requested });
  if (usage.groups + 1 > containerGroups) return refuse('ContainerGroups', containerGroups, usage.groups, 1);
  const cpu = isStandard(wanted.body) ? Math.ceil(requestedCpu(wanted.body)) : 0;
  if (usage.cores + cpu > standardCores) return refuse('StandardCores', standardCores, usage.cores, cpu);
  return undefined;
}
