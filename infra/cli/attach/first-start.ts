import { writeFirstRows } from '../../../shared/adapters/tables/first-rows.ts';
import { nodePartition } from '../../../shared/adapters/tables/keys.ts';
import type { RowTable } from '../../../shared/adapters/tables/row-table.ts';
import type { ArmLimits } from '../../../shared/core/budget/plan.ts';
import { ok } from '../../../shared/core/fault.ts';
import type { Result } from '../../../shared/core/fault.ts';
import type { ListedGroup } from '../../../shared/core/group/group.ts';
import { groupOwner } from '../../../shared/core/group/identity.ts';
import type { ContainerGroups } from '../../../shared/ports/container-groups.ts';
import type { Registrations } from '../../../shared/ports/registrations.ts';
import type { ClusterRegistration } from '../../../shared/wire/settings.ts';

/** What shows whether there is a past, in the order in which it is checked. */
export interface PastFacts {
  readonly installation: string;
  readonly clusterUid: string;
  /** Whether the table has no row at all. */
  readonly isTableEmpty: boolean;
  /** The complete list of ARM. */
  readonly groups: readonly ListedGroup[];
  /** Of each node that is wanted: whether it has rows, and the pods that are bound to it. */
  readonly nodes: readonly { readonly name: string; readonly hasRows: boolean; readonly pods: readonly string[] }[];
  readonly registered: readonly ClusterRegistration[];
}

export interface FirstStart {
  /** Nodes that have no past. */
  readonly nodes: readonly string[];
  /** The installation has none: its budgets start open, too. */
  readonly isFirst: boolean;
}

/**
 * Which nodes cannot have a PUT under way that no row reports. A PUT is sent for a pod that is bound to the node, and
 * only such a pod is ever PUT again: so where no pod is bound, none that comes later can have one under way, whatever
 * process, frozen or cut off, has sent what. The rest is to be sure that this is a beginning: the node is not registered,
 * so that nobody else begins it meanwhile; it has no rows; and ARM shows no group of the installation. Pure.
 */
export function findFirstStart({ installation, clusterUid, isTableEmpty, ...facts }: PastFacts): FirstStart {
  if (facts.groups.some(({ tags }) => groupOwner(tags)?.installation === installation))
    return { nodes: [], isFirst: false };
  const known = facts.registered.find(({ uid }) => uid === clusterUid)?.nodes ?? [];
  const nodes = facts.nodes
    .filter(({ name, hasRows, pods }) => !hasRows && pods.length === 0 && !known.some((node) => node.name === name))
    .map(({ name }) => name);
  return { nodes, isFirst: isTableEmpty && nodes.length > 0 };
}

export interface FirstStartPorts {
  readonly table: RowTable;
  readonly groups: Pick<ContainerGroups, 'list'>;
  readonly registrations: Registrations;
  /** Names of the pods that are bound to a node, of any phase, as etcd has them: no cache may answer. */
  readonly podsOn: (node: string) => Promise<readonly string[]>;
}

export interface FirstStartInput {
  readonly installation: string;
  readonly clusterUid: string;
  readonly nodes: readonly string[];
  readonly limits: ArmLimits;
}

/**
 * Looks for a past and writes the first rows where there is none. To be called right before the registration, so that
 * nothing can begin between the check and the write. A fault: nothing is known, or not all was written; the nodes then
 * start as after a loss of the tables, with a minute of adopting only.
 */
export async function startOpen(
  ports: FirstStartPorts,
  input: FirstStartInput,
  signal: AbortSignal,
): Promise<Result<FirstStart>> {
  const { installation, clusterUid, limits } = input;
  const facts = await findPast(ports, input, signal);
  if (!facts.ok) return facts;
  const start = findFirstStart({ installation, clusterUid, ...facts.value });
  if (start.nodes.length === 0) return ok(start);
  const written = await writeFirstRows(ports.table, {
    nodes: start.nodes.map((node) => ({ cluster: clusterUid, node })),
    limits: start.isFirst ? limits : undefined,
  });
  return written.ok ? ok(start) : written;
}

async function findPast(
  { table, groups, registrations, podsOn }: FirstStartPorts,
  { clusterUid, nodes }: FirstStartInput,
  signal: AbortSignal,
): Promise<Result<Omit<PastFacts, 'installation' | 'clusterUid'>>> {
  const partition = await table.nextPartition('');
  if (!partition.ok) return partition;
  const found: { readonly name: string; readonly hasRows: boolean }[] = [];
  for (const name of nodes) {
    const rows = await table.query(nodePartition({ cluster: clusterUid, node: name }), {
      from: ' ',
      to: '~',
      limit: 1,
    });
    if (!rows.ok) return rows;
    found.push({ name, hasRows: rows.value.length > 0 });
  }
  const listed = await groups.list(signal);
  if (!listed.ok) return listed;
  const withPods = await Promise.all(found.map(async (node) => ({ ...node, pods: await podsOn(node.name) })));
  const read = await registrations.get(undefined, signal);
  if (!read.ok) return read;
  return ok({
    isTableEmpty: partition.value === undefined,
    groups: listed.value,
    nodes: withPods,
    registered: read.value.kind === 'read' ? read.value.clusters : [],
  });
}
