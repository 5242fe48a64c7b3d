import { fail, ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import { groupName } from '../core/group/identity.ts';
import { joinLogs, lastLines } from '../core/logs/kept-log.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import type { Deps, NodeDeps, PodRef } from './deps.ts';
import { findOnNode, groupGone } from './find-on-node.ts';
import { defined } from '../core/defined.ts';

export interface ContainerLogsRequest extends PodRef {
  readonly container: string;
  readonly tail?: number;
}

/**
 * What there is of one container's output, each line with its instant: ACI's, and where its group went before the pod,
 * what was kept. The pod must be known on this node: by its row, or by the tags of its group, so that a relay can't read
 * another cluster's logs. Faults as of `ContainerGroups.listLogs` and `KeptLogs.get`.
 */
export async function readContainerLogs(
  deps: Deps,
  node: NodeDeps,
  request: ContainerLogsRequest,
  signal: AbortSignal,
): Promise<Result<string>> {
  const group = groupName({ installation: node.facts.installation, ...request });
  const known = await findOnNode(deps, node, request, signal);
  if (!known.ok) return known;
  const { container, tail } = request;
  const asked = { deps, node, group, container, signal };
  return known.value.keptLog === undefined ? readShown(asked, tail) : readKept(asked, tail, known.value);
}

interface Asked {
  readonly deps: Deps;
  readonly node: NodeDeps;
  readonly group: string;
  readonly container: string;
  readonly signal: AbortSignal;
}

const readShown = ({ deps, group, container, signal }: Asked, tail: number | undefined): Promise<Result<string>> =>
  deps.groups.listLogs({ group, container, timestamps: true, ...defined({ tail }) }, signal);

/** ACI may go on showing the end of a stopped container's log, and with it what was written after it was kept. */
async function readKept(asked: Asked, tail: number | undefined, row: Pick<PodRow, 'intent'>): Promise<Result<string>> {
  const { deps, node, group, container, signal } = asked;
  // Nobody shows the log of a group that is gone: that read is saved.
  const shown: Result<string> = row.intent.kind === 'deleted' ? fail(groupGone) : await readShown(asked, undefined);
  if (!shown.ok && shown.fault.kind !== 'not-found') return shown;
  const logs = await deps.keptLogs.get({ node: node.key, group }, signal);
  if (!logs.ok && logs.fault.kind !== 'rejected') return logs;
  const kept = (logs.ok ? logs.value : undefined)?.find((log) => log.container === container)?.text;
  if (kept === undefined && !shown.ok) return shown;
  const text = joinLogs(kept ?? '', shown.ok ? shown.value : '');
  return ok(tail === undefined ? text : lastLines(text, tail));
}
