import { describeFault } from '../core/fault.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import type { Deps, NodeDeps } from './deps.ts';

/** Once for each version of what the volume is made of: a Warning that says why its files stay as they are. */
export async function reportKeptVolume(
  {
    deps,
    node,
    row,
    at,
    signal,
  }: {
    readonly deps: Pick<Deps, 'log'>;
    readonly node: Pick<NodeDeps, 'api'>;
    readonly row: PodRow;
    /** Table service's time. */
    readonly at: number;
    readonly signal: AbortSignal;
  },
  { name, version, why }: { readonly name: string; readonly version: string; readonly why: string },
): Promise<void> {
  const { namespace, name: pod, uid } = row;
  const written = await node.api.createEvent(
    {
      involved: { kind: 'Pod', namespace, name: pod, uid },
      type: 'Warning',
      reason: 'FailedMount',
      message: why,
      at: new Date(at).toISOString(),
      dedupeKey: `${uid}/files/${name}/${version}`,
    },
    signal,
  );
  if (!written.ok)
    deps.log.warn('event could not be written', { reason: 'FailedMount', fault: describeFault(written.fault) });
}
