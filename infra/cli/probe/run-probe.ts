import { setTimeout as sleep } from 'node:timers/promises';
import type { GroupObservation, ObservedContainer } from '../../../shared/core/group/group.ts';
import type { ContainerGroups } from '../../../shared/ports/container-groups.ts';
import { faultClause } from '../inspect/fault-reason.ts';
import type { Output } from '../output.ts';
import { probeContainers, probeGroup, probeGroupName } from './group-body.ts';
import type { ProbeWants } from './group-body.ts';
import type { ProbeSeen } from './judge.ts';
import { hasEnded, parseMeasurements } from './measurements.ts';

export interface ProbeRun {
  readonly groups: Pick<ContainerGroups, 'createOrUpdate' | 'get' | 'delete' | 'stop' | 'listLogs'>;
  readonly out: Pick<Output, 'progress' | 'warn'>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly pollMs: number;
}

export type ProbeOutcome =
  | { readonly kind: 'ran'; readonly seen: ProbeSeen; readonly isWhole: boolean }
  /** ARM did not take the group. */
  | { readonly kind: 'refused'; readonly why: string }
  /** It said nothing in its time; how far it was, by its own words. */
  | { readonly kind: 'stuck'; readonly why: string };

/** How long a group may take to be gone, and who asks is not to be interrupted meanwhile. */
const deleteMs = 90_000;

/**
 * Makes the group, reads what its containers say, stops it, and deletes it, whatever came of it: when the command is
 * interrupted, too. What an earlier run left goes first. Rejects only when interrupted.
 */
export async function runProbe(wants: ProbeWants, run: ProbeRun): Promise<ProbeOutcome> {
  const name = probeGroupName(wants.installation);
  await run.out.progress.step('what an earlier probe left', () => remove(name, run));
  run.signal.throwIfAborted();
  try {
    const made = await run.groups.createOrUpdate(name, probeGroup(wants), run.signal);
    run.signal.throwIfAborted();
    if (!made.ok && made.fault.kind !== 'transient') return { kind: 'refused', why: faultClause(made.fault) };
    const watched = await run.out.progress.step(`container group ${name}`, (report) => watch(name, run, report));
    if (watched.kind === 'stuck') return watched;
    const stopped = await run.out.progress.step('stop', () => stop(name, run));
    return { kind: 'ran', isWhole: watched.isWhole, seen: { ...watched.seen, ...stopped } };
  } finally {
    await run.out.progress.step(`deletion of ${name}`, () => remove(name, run));
  }
}

type Watched =
  | { readonly kind: 'read'; readonly isWhole: boolean; readonly seen: Omit<ProbeSeen, 'isStopped' | 'logAfterStop'> }
  | Extract<ProbeOutcome, { kind: 'stuck' }>;

/** Until both containers have said all, or time is up. */
async function watch(name: string, run: ProbeRun, report: (detail: string) => void): Promise<Watched> {
  const giveUpAt = performance.now() + run.timeoutMs;
  const logs = new Map<string, string>();
  let why = 'nothing is known of it';
  let last: GroupObservation | undefined;
  for (;;) {
    const seen = await run.groups.get(name, run.signal);
    run.signal.throwIfAborted();
    if (seen.ok) {
      last = seen.value;
      why = describe(last);
      await readLogs(last, run, logs);
    } else why = faultClause(seen.fault);
    const isWhole = isSaid(logs, restartsOf(last));
    if (isWhole || performance.now() > giveUpAt) {
      const measured = parseMeasurements([...logs.values()]);
      if (measured.size === 0) return { kind: 'stuck', why };
      return { kind: 'read', isWhole, seen: { measured, groupAddress: last?.ip, restarts: restartsOf(last) } };
    }
    report(why);
    await sleep(run.pollMs, undefined, { signal: run.signal });
  }
}

const restartsOf = (seen: GroupObservation | undefined): number =>
  seen?.containers.find(({ name }) => name === 'first')?.instanceView?.restartCount ?? 0;

/** Twice started again and nothing of the first run found: it will never come further. */
function isSaid(logs: ReadonlyMap<string, string>, restarts: number): boolean {
  const [first = '', second = ''] = probeContainers.map((container) => logs.get(container) ?? '');
  return hasEnded(second, 'second') && (hasEnded(first, 'again') || (restarts >= 2 && hasEnded(first, 'first')));
}

/** What was read once of a container is kept, unless it says more: a run's log goes with the next one. */
async function readLogs(seen: GroupObservation, run: ProbeRun, logs: Map<string, string>): Promise<void> {
  for (const container of [...seen.initContainers, ...seen.containers]) {
    if (container.instanceView?.currentState?.startTime === undefined) continue;
    const log = await readLog(seen.name, container.name, run);
    if (log !== undefined && log !== '') logs.set(container.name, log);
  }
}

async function readLog(group: string, container: string, { groups, signal }: ProbeRun): Promise<string | undefined> {
  const log = await groups.listLogs({ group, container, timestamps: false }, signal);
  return log.ok ? log.value : undefined;
}

/** How far it is, in a few words. */
function describe({ provisioningState, state, initContainers, containers, events }: GroupObservation): string {
  const all: readonly ObservedContainer[] = [...initContainers, ...containers];
  const waiting = all.flatMap(({ name, instanceView }) => {
    const current = instanceView?.currentState;
    return current?.state === 'Waiting' && current.detailStatus !== '' ? [`${name}: ${current.detailStatus}`] : [];
  });
  const trouble = [...events, ...all.flatMap(({ instanceView }) => instanceView?.events ?? [])]
    .filter(({ type }) => type === 'Warning')
    .map(({ message }) => message);
  return [provisioningState, state, ...waiting, ...trouble.slice(-1)].filter((part) => part !== '').join(', ');
}

const logTries = 5;

/** A stop, and what is left of the log then. */
async function stop(name: string, run: ProbeRun): Promise<Pick<ProbeSeen, 'isStopped' | 'logAfterStop'>> {
  const stopped = await run.groups.stop(name, run.signal);
  run.signal.throwIfAborted();
  if (!stopped.ok) return { isStopped: false, logAfterStop: undefined };
  let log: string | undefined;
  for (let each = 0; each < logTries; each += 1) {
    log = (await readLog(name, 'first', run)) ?? log;
    run.signal.throwIfAborted();
    if (log?.includes('"again.signal"') === true) break;
    await sleep(run.pollMs, undefined, { signal: run.signal });
  }
  return { isStopped: true, logAfterStop: log === '' ? undefined : log };
}

/** Until ARM says that it is not there; not interrupted by Ctrl-C. What can't be deleted is said, with the command. */
async function remove(name: string, { groups, out, pollMs }: ProbeRun): Promise<void> {
  const signal = AbortSignal.timeout(deleteMs);
  const giveUpAt = performance.now() + deleteMs;
  let why = 'it is there still';
  while (performance.now() < giveUpAt) {
    const gone = await groups.delete(name, signal);
    if (gone.ok && gone.value === 'absent') return;
    if (gone.ok) {
      const seen = await groups.get(name, signal);
      if (!seen.ok && seen.fault.kind === 'not-found') return;
    } else {
      why = faultClause(gone.fault);
      if (gone.fault.kind === 'denied') break;
    }
    await sleep(pollMs);
  }
  out.warn(
    `the container group ${name} could not be deleted (${why}), and is paid for\n  → az container delete --name ${name} --resource-group <that of the pods>`,
  );
}
