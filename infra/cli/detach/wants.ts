import { parseDuration } from '../options.ts';
import type { OptionSpecs, ParsedOptions } from '../options.ts';
import { wrongInput } from '../stop.ts';

export interface DetachWants {
  /** Undefined: all of the cluster's. */
  readonly nodes: readonly string[] | undefined;
  readonly namespace: string | undefined;
  readonly timeoutMs: number;
  readonly keepChart: boolean;
  readonly purgeUsage: boolean;
  readonly chart: string | undefined;
  /** `--force`: the cluster is gone. */
  readonly force: { readonly uid: string; readonly yes: boolean } | undefined;
  /** `--cluster` without `--force`: which cluster is meant. */
  readonly uid: string | undefined;
}

export const detachOptions: OptionSpecs = {
  nodes: {
    type: 'string',
    value: 'NAME,…',
    multiple: true,
    description: 'just these nodes (default: all, and the cluster)',
  },
  namespace: { type: 'string', value: 'NAME', description: 'where the chart is (default: as it was attached)' },
  timeout: {
    type: 'string',
    value: 'TIME',
    description: 'how long to wait for pods, groups and nodes to go (default 10m)',
  },
  'keep-chart': { type: 'boolean', description: 'leave the chart and its namespace in the cluster' },
  'purge-usage': { type: 'boolean', description: 'delete the records of what ran and what it cost too' },
  chart: {
    type: 'string',
    value: 'DIR',
    description: 'with --nodes: the Helm chart (default: the one that comes with this program)',
  },
  cluster: {
    type: 'string',
    value: 'UID',
    description: "UID of the cluster's kube-system namespace; needed with --force",
  },
  force: {
    type: 'boolean',
    description: 'the cluster does not exist any more: delete its container groups, registration and rows',
  },
  yes: { type: 'boolean', description: 'with --force: do not ask' },
};

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function parseDetachWants(options: ParsedOptions): DetachWants {
  const uid = options.text('cluster');
  if (uid !== undefined && !guid.test(uid))
    throw wrongInput(`--cluster wants a UID, not "${uid}"`, 'the command status shows the UIDs');
  const nodes = options.list('nodes');
  const force = options.flag('force');
  if (force && uid === undefined)
    throw wrongInput(
      '--force needs to know which cluster is gone',
      'add --cluster UID; the command status shows the UIDs',
    );
  if (force && nodes.length > 0)
    throw wrongInput('--force is for a whole cluster, and --nodes for some nodes', 'leave one of them out');
  if (!force && options.flag('yes')) throw wrongInput('--yes goes with --force', 'leave it out');
  return {
    nodes: nodes.length === 0 ? undefined : nodes,
    namespace: options.text('namespace'),
    timeoutMs: parseDuration('timeout', options.text('timeout') ?? '10m'),
    keepChart: options.flag('keep-chart'),
    purgeUsage: options.flag('purge-usage'),
    chart: options.text('chart'),
    force: force && uid !== undefined ? { uid: uid.toLowerCase(), yes: options.flag('yes') } : undefined,
    uid: uid?.toLowerCase(),
  };
}
