import { nodeKeyText } from '../core/node/node-key.ts';
import { noteStart } from '../core/reconcile/start-times.ts';
import type { Pod, PodStatus } from '../core/kubernetes/pod.ts';
import type { PodSession } from './pod-session.ts';

/** A pod that ran for days before it was accepted here says nothing of how fast we are: its row, or our tables, are new. */
const longestSeconds = 3600;

/** From the binding of the pod until now. Kubernetes reports it in whole seconds, so half a second is what it is wrong by. */
export function measureSinceBound(
  session: PodSession,
  metric: 'serverless_kubelet.pod.accepted.duration' | 'serverless_kubelet.pod.running.duration',
): void {
  const bound = session.pod?.status.conditions.find(({ type }) => type === 'PodScheduled')?.lastTransitionTime;
  measureSince(session, metric, bound);
}

/** What a status that has just been written says for the first time: that the pod runs, that containers have ended. */
export function measureStatus(session: PodSession, before: Pod, written: PodStatus): void {
  if (before.status.phase === 'Pending' && written.phase === 'Running')
    measureSinceBound(session, 'serverless_kubelet.pod.running.duration');
  noteFirstStart(session, before.status, written);
  const known = new Set(endsOf(before.status).map(({ name, finishedAt }) => `${name} ${finishedAt}`));
  for (const { name, finishedAt } of endsOf(written))
    if (!known.has(`${name} ${finishedAt}`)) measureSince(session, 'serverless_kubelet.pod.status.lag', finishedAt);
}

/** What later looks at other groups of the node are planned by. */
function noteFirstStart({ deps, node, row }: PodSession, before: PodStatus, written: PodStatus): void {
  const starts = startsOf(written);
  if (starts.length === 0 || startsOf(before).length > 0 || row.intent.kind !== 'accepted') return;
  const name = nodeKeyText(node.key);
  deps.startTimes.set(name, noteStart(deps.startTimes.get(name) ?? [], Math.min(...starts) - row.intent.at));
}

const startsOf = (status: PodStatus): readonly number[] =>
  [...status.initContainerStatuses, ...status.containerStatuses]
    .map(({ state }) => (state.kind === 'waiting' ? Number.NaN : Date.parse(state.startedAt ?? '')))
    .filter(Number.isFinite);

function endsOf(status: PodStatus): readonly { readonly name: string; readonly finishedAt: string }[] {
  return [...status.initContainerStatuses, ...status.containerStatuses].flatMap(({ name, state }) =>
    state.kind === 'terminated' && state.finishedAt !== undefined ? [{ name, finishedAt: state.finishedAt }] : [],
  );
}

function measureSince(
  session: PodSession,
  metric:
    | 'serverless_kubelet.pod.accepted.duration'
    | 'serverless_kubelet.pod.running.duration'
    | 'serverless_kubelet.pod.status.lag',
  since: string | undefined,
): void {
  const seconds = (session.now() - Date.parse(since ?? '')) / 1000;
  if (seconds >= 0 && seconds < longestSeconds)
    session.deps.telemetry.measure(metric, seconds, { node: session.node.key.node });
}
