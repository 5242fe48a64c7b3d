import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiAnswer, ApiRequest } from '../cluster/api.ts';
import type { ClusterFault } from '../cluster/cluster-fault.ts';
import type { Output } from '../output.ts';
import { parsePodsSeen } from '../inspect/cluster-objects.ts';
import { faultPart, parseAnswer } from '../inspect/cluster-reader.ts';
import { read, unreadable } from '../inspect/observed.ts';
import type { Part } from '../inspect/observed.ts';
import type { ReachReports } from '../inspect/pods-reach/facts.ts';
import { parseReachReport } from '../inspect/pods-reach/report.ts';
import type { ReachReport } from '../inspect/pods-reach/report.ts';
import { parseReachPod, reachContainers, reachLabels, reachPod } from './reach-pod.ts';
import type { ReachPodState, ReachPodWants } from './reach-pod.ts';

export interface ReachRun {
  /** One request to the cluster, with the operator's rights. */
  readonly send: (request: ApiRequest) => Promise<ApiAnswer | ClusterFault>;
  readonly out: Pick<Output, 'progress' | 'warn'>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly pollMs: number;
}

/** What came of the pod. */
export type ReachOutcome =
  | { readonly kind: 'ran'; readonly seconds: number; readonly reports: ReachReports }
  /** The API server did not take it. */
  | { readonly kind: 'refused'; readonly why: string }
  /** It did not come to its end; why, by itself. */
  | { readonly kind: 'stuck'; readonly state: ReachPodState }
  /** It ended, and no log could be read. */
  | { readonly kind: 'silent'; readonly why: string };

/**
 * Makes the pod, waits until it has ended, reads what it reports, and deletes it, whatever came of it: when the command is
 * interrupted, too. What earlier runs left is taken away first. Rejects only when interrupted.
 */
export async function runReachPod(wants: ReachPodWants, run: ReachRun): Promise<ReachOutcome> {
  const home = `/api/v1/namespaces/${wants.namespace}/pods`;
  const path = podPath(wants.namespace, wants.name);
  await removeLeftovers(run);
  let mayBeThere = true;
  try {
    const made = await run.send({ method: 'POST', path: home, body: reachPod(wants) });
    run.signal.throwIfAborted();
    if (made.kind !== 'answered') {
      // Of a creation without an answer nobody knows.
      mayBeThere = made.kind === 'unreachable';
      return { kind: 'refused', why: reasonOf(made) };
    }
    return await run.out.progress.step(`pod ${wants.name} on ${wants.node}`, async (report) => {
      const startedMs = performance.now();
      const state = await waitForEnd(path, run, report);
      if (state.phase !== 'Succeeded') return { kind: 'stuck', state };
      report('reading its logs');
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      return readReports(path, run, seconds);
    });
  } finally {
    if (mayBeThere) await remove(path, run);
  }
}

const reasonOf = (fault: ClusterFault): string => {
  const part = faultPart(fault);
  return part.kind === 'unreadable' ? part.reason : '';
};

/** Older than any run takes. */
const leftoverSeconds = 3600;

/** Those that have ended, or are too old to be another run's; in whatever namespace. */
async function removeLeftovers(run: ReachRun): Promise<void> {
  const selector = Object.entries(reachLabels).map(([name, value]) => `${name}=${value}`);
  const path = `/api/v1/pods?labelSelector=${encodeURIComponent(selector.join(','))}`;
  const answer = parseAnswer(await run.send({ path }));
  const list = answer.kind === 'read' ? answer.value : undefined;
  for (const { namespace, name, phase, ageSeconds = 0 } of parsePodsSeen(list?.json, list?.serverMs) ?? [])
    if (phase === 'Succeeded' || phase === 'Failed' || ageSeconds > leftoverSeconds)
      await remove(podPath(namespace, name), run);
}

const podPath = (namespace: string, name: string): string => `/api/v1/namespaces/${namespace}/pods/${name}`;

async function remove(path: string, { send, out }: ReachRun): Promise<void> {
  const gone = await send({ method: 'DELETE', path, evenInterrupted: true });
  if (gone.kind === 'answered' || gone.kind === 'not-found') return;
  const [, , , , namespace = '', , name = ''] = path.split('/');
  out.warn(`the pod ${name} could not be deleted (${reasonOf(gone)}): kubectl delete pod -n ${namespace} ${name}`);
}

/** Until it has ended or time is up; answers how far it is then. */
async function waitForEnd(
  path: string,
  { send, signal, timeoutMs, pollMs }: ReachRun,
  report: (detail: string) => void,
): Promise<ReachPodState> {
  const giveUpAt = performance.now() + timeoutMs;
  let last: ReachPodState = { phase: 'Pending', reason: '', message: '' };
  for (;;) {
    const answer = parseAnswer(await send({ path }));
    signal.throwIfAborted();
    if (answer.kind === 'read') {
      if (answer.value === undefined) return { phase: 'Failed', reason: 'Deleted', message: 'somebody deleted it' };
      last = parseReachPod(answer.value.json) ?? last;
      if (last.phase === 'Succeeded' || last.phase === 'Failed') return last;
    }
    if (performance.now() > giveUpAt) return last;
    report([last.phase, last.reason].filter((part) => part !== '').join(', '));
    await sleep(pollMs, undefined, { signal });
  }
}

/** The end of a log may come a little later than the end of its container. */
const logTries = 5;

async function readReports(path: string, run: ReachRun, seconds: number): Promise<ReachOutcome> {
  const parts: Part<ReachReport>[] = [];
  for (const container of reachContainers) parts.push(await readReport(`${path}/log?container=${container}`, run));
  const [init = none, musl = none, glibc = none] = parts;
  if (musl.kind === 'unreadable' && glibc.kind === 'unreadable') return { kind: 'silent', why: musl.reason };
  return { kind: 'ran', seconds, reports: { init, musl, glibc } };
}

const none = unreadable('Its log was not read.');

async function readReport(path: string, { send, signal, pollMs }: ReachRun): Promise<Part<ReachReport>> {
  for (let attempt = 1; ; attempt++) {
    const answer = await send({ path, timeoutMs: 30_000 });
    signal.throwIfAborted();
    const report = answer.kind === 'answered' ? parseReachReport(answer.text) : undefined;
    if (report?.isWhole === true) return read(report);
    if (attempt === logTries)
      return answer.kind === 'answered' ? unreadable('Its log has not what the script says.') : faultPart(answer);
    await sleep(pollMs, undefined, { signal });
  }
}
