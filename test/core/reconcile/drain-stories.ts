import { agentTags } from '../../../shared/core/agent/agent-tags.ts';
import type { Drain, DrainWord } from '../../../shared/core/agent/reports/drain.ts';
import type { AgentMemory, HeardContainer } from '../../../shared/core/agent/reports/memory.ts';
import type { AgentState } from '../../../shared/core/agent/reports/report.ts';
import { tierTags } from '../../../shared/core/agent/tier-tags.ts';
import { defined } from '../../../shared/core/defined.ts';
import type { Fault } from '../../../shared/core/fault.ts';
import type { GroupObservation, InstanceView } from '../../../shared/core/group/group.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import type { PodRow } from '../../../shared/core/reconcile/pod-row.ts';
import { at, container, mainRuns, makeGroup, makePod, noon, running, terminated } from '../../fixtures/pods.ts';
import { accepted, deleting, seen } from './rendered.ts';
import type { Story } from './rendered.ts';

export const agentKey = { kid: 'r1', nonce: 'n0nce' };
const digest = `sha256:${'a9'.repeat(32)}`;
const tags = { ...agentTags({ digest, ...agentKey }), ...tierTags({ tier: 'T2', reason: 'x' }) };

/** A group whose containers are all as `view` says, unless they are named. */
export const withAgents = (
  view: InstanceView = running(1),
  others: Readonly<Record<string, InstanceView>> = {},
): GroupObservation => {
  const views = { main: view, ...others };
  return makeGroup('Running', view, {
    tags,
    containers: Object.entries(views).map(([name, instanceView]) => ({ name, image: 'busybox:1.36', instanceView })),
  });
};

const state = (more: Partial<AgentState>): AgentState => ({
  phase: 'running',
  startedAt: noon + 1_000,
  started: true,
  ready: true,
  restarts: 0,
  final: false,
  ...more,
});
export const said = (more: Partial<AgentState> = {}): HeardContainer => ({
  bootId: 'b1',
  number: 1,
  boots: 1,
  sentAt: noon + 1_000,
  state: state(more),
});
/** Of a program that ended a number of seconds after noon, behind which process 1 stays. */
export const parked = (exitCode: number, second: number): HeardContainer =>
  said({
    phase: 'parked',
    started: false,
    ready: false,
    final: true,
    ended: {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      startedAt: noon + 1_000,
      finishedAt: noon + second * 1000,
    },
  });

export const memory = (
  containers: Readonly<Record<string, HeardContainer>>,
  drain?: Partial<Drain> & { readonly words?: Readonly<Record<string, DrainWord>> },
): AgentMemory => ({
  key: agentKey,
  expected: Object.keys(containers),
  containers,
  ...(drain && { drain: { at: noon + 1_000, since: noon + 1_000, by: noon + 30_000, words: {}, ...drain } }),
});
const rowOf = (agent: AgentMemory, more: Partial<PodRow> = {}): Partial<PodRow> => ({ ...accepted, agent, ...more });

const status = { phase: 'Running', startTime: at(0), containerStatuses: [mainRuns] } as const;
export const drained = (metadata: Partial<Pod['metadata']> = deleting, spec: Partial<Pod['spec']> = {}): Pod =>
  makePod({ metadata, spec: { restartPolicy: 'Always', ...spec }, status });
const two = drained(deleting, { containers: [container('main'), container('other')] });
const past = drained({}, { activeDeadlineSeconds: 5 });
const failed = (fault: Fault) => ({ outcome: { kind: 'failed', call: 'drain-agents', fault } as const });
const { currentState: endOfRun } = terminated(7, { from: 1, to: 6 });
const startedAgain: InstanceView = { ...running(8), restartCount: 1, ...defined({ previousState: endOfRun }) };
const stopped = 'stop: create-event(Killing), stop-group → again, stopping';
const told = 'drain: create-event(Killing), save-row(agent), drain-agents → again';

/** Pods whose containers have the agent, when they are deleted: a second after noon, with 30 s of grace, unless changed. */
export const drainStories: readonly Story[] = [
  {
    it: 'the agents of a deleted pod are told to end its programs',
    pod: drained(),
    row: rowOf(memory({ main: said() })),
    sight: seen(withAgents()),
    says: told,
  },
  {
    it: 'so is one that is to report and has not yet',
    pod: drained(),
    row: rowOf({ key: agentKey, expected: ['main'], containers: {} }),
    sight: seen(withAgents()),
    says: told,
  },
  {
    it: 'after the rows were lost the tier of the group says that there are agents',
    pod: drained(),
    sight: seen(withAgents()),
    says: told,
  },
  {
    it: 'whose agents are those of another group is stopped',
    pod: drained(),
    row: rowOf({ ...memory({ main: said() }), key: { kid: 'r1', nonce: 'older' } }),
    sight: seen(makeGroup('Running', running(1))),
    says: stopped,
  },
  {
    it: 'the ends are waited for until the grace is over and the last report could be there',
    pod: drained(),
    row: rowOf(memory({ main: said() }, { words: { main: 'heard' } })),
    sight: seen(withAgents()),
    says: 'draining:  → in 24 s',
  },
  {
    it: 'an agent that reports the drain was told, whatever became of the answer',
    pod: drained(),
    row: rowOf(memory({ main: said({ drainBy: noon + 30_000 }) }, { words: { main: 'unsure' } })),
    sight: seen(withAgents()),
    says: 'draining:  → in 24 s',
  },
  {
    it: 'one of which nobody knows whether it heard is told again',
    pod: drained(),
    row: rowOf(memory({ main: said() }, { words: { main: 'unsure' } })),
    sight: seen(withAgents()),
    says: told,
  },
  {
    it: 'the end of a container without an agent is looked up',
    pod: drained(),
    row: rowOf(memory({ main: said() }, { words: { main: 'signalled' } })),
    sight: seen(withAgents()),
    says: 'draining:  → in 2.25 s',
  },
  {
    it: 'a program that has ended is in the status at once while another still ends',
    pod: two,
    row: rowOf(memory({ main: parked(7, 5), other: said() }, { words: { main: 'heard', other: 'heard' } })),
    sight: seen(withAgents(running(1), { other: running(1) })),
    says: 'draining: patch-status(Running) → in 24 s',
  },
  {
    it: 'when all have ended how is the last status, though process 1 runs on',
    pod: drained(),
    row: rowOf(memory({ main: parked(0, 9) }, { words: { main: 'heard' } })),
    sight: seen(withAgents()),
    says: 'delete-drained: patch-status(Succeeded) → again',
  },
  {
    it: 'a container that ACI started again after its drain has ended as it did then',
    pod: drained(),
    row: rowOf(memory({}, { words: { main: 'signalled' } })),
    sight: seen(withAgents(startedAgain)),
    says: 'delete-drained: patch-status(Failed) → again',
  },
  {
    it: 'then the group stays for those who follow its log',
    pod: makePod({ metadata: deleting, status: { ...status, phase: 'Failed' } }),
    row: rowOf(memory({ main: parked(7, 9) }, { words: { main: 'heard' } })),
    sight: seen(withAgents()),
    says: 'log-may-be-followed:  → in 2 s',
  },
  {
    it: 'also where the time of the tables, in whole seconds, is behind its clock',
    pod: makePod({ metadata: deleting, status: { ...status, phase: 'Failed' } }),
    row: rowOf(memory({ main: parked(7, 11) }, { words: { main: 'heard' } })),
    sight: seen(withAgents()),
    says: 'log-may-be-followed:  → in 4 s',
  },
  {
    it: 'but a clock that is far ahead holds nothing up',
    pod: makePod({ metadata: deleting, status: { ...status, phase: 'Failed' } }),
    row: rowOf(memory({ main: parked(7, 60) }, { words: { main: 'heard' } })),
    sight: seen(withAgents()),
    says: 'delete-ended: delete-group → again, deleting',
  },
  {
    it: 'and goes',
    pod: makePod({ metadata: deleting, status: { ...status, phase: 'Failed' } }),
    row: rowOf(memory({ main: parked(7, 9) }, { words: { main: 'heard' } })),
    seconds: 12,
    sight: seen(withAgents()),
    says: 'delete-ended: delete-group → again, deleting',
  },
  {
    it: 'what runs without an agent when the others have ended is stopped',
    pod: two,
    row: rowOf(memory({ main: parked(7, 5) }, { words: { main: 'heard', other: 'nobody' } })),
    sight: seen(withAgents(running(1), { other: running(1) })),
    says: 'stop: patch-status(Running), create-event(Killing), create-event(Killing), stop-group → again, stopping',
  },
  {
    it: 'a group in which nobody heard the word is stopped',
    pod: drained(),
    row: rowOf(memory({ main: said() }, { words: { main: 'nobody' } })),
    sight: seen(withAgents()),
    says: stopped,
  },
  {
    it: 'in the last moment no more is said, and the ends are waited for a little',
    pod: drained(),
    row: rowOf(memory({ main: said() }, { words: { main: 'heard' } })),
    seconds: 33,
    sight: seen(withAgents()),
    says: 'draining:  → in 1 s',
  },
  {
    it: 'who was not told within the grace is not told any more',
    pod: drained(),
    row: rowOf(memory({ main: said() }, {})),
    seconds: 31,
    sight: seen(withAgents()),
    says: stopped,
  },
  {
    it: 'when grace and allowance are over the group is stopped',
    pod: drained(),
    row: rowOf(memory({ main: said() }, { words: { main: 'heard' } })),
    seconds: 34,
    sight: seen(withAgents()),
    says: stopped,
  },
  {
    it: 'a deadline that came nearer is told to those who wait for a later one',
    pod: drained({ deletionTimestamp: at(15), deletionGracePeriodSeconds: 15 }),
    row: rowOf(memory({ main: said() }, { words: { main: 'heard' } })),
    sight: seen(withAgents()),
    says: told,
  },
  {
    it: 'one that has passed already leaves a program the least grace of a kubelet, and is said once',
    pod: drained({ deletionTimestamp: at(5), deletionGracePeriodSeconds: 5 }),
    row: rowOf(memory({ main: said() }, { since: noon + 9_000, by: noon + 11_000, words: { main: 'heard' } })),
    sight: seen(withAgents()),
    says: 'draining:  → in 5 s',
  },
  {
    it: 'a deletion that is seen late leaves a program the least grace of a kubelet',
    pod: drained(),
    row: rowOf(memory({ main: said() })),
    seconds: 40,
    sight: seen(withAgents()),
    says: told,
  },
  {
    it: 'without a grace nothing is drained',
    pod: drained({ deletionTimestamp: at(10), deletionGracePeriodSeconds: 0 }),
    row: rowOf(memory({ main: said() })),
    sight: seen(withAgents()),
    says: stopped,
  },
  {
    it: 'a group that is only being made is deleted at once, with agents too',
    pod: drained(),
    row: rowOf(memory({ main: said() })),
    sight: seen(makeGroup('Pending', undefined, { tags })),
    says: 'delete-unprovisioned: delete-group → again, deleting',
  },
  {
    it: 'words that no budget was left for are said when there is one',
    pod: drained(),
    row: rowOf(memory({ main: said() }, {})),
    sight: seen(withAgents()),
    seen: failed({ kind: 'throttled', retryAfterMs: 7_000, message: 'm' }),
    says: 'drain-unsaid:  → in 7 s, after throttled',
  },
  {
    it: 'but are not waited for longer than the grace and its allowance',
    pod: drained(),
    row: rowOf(memory({ main: said() }, {})),
    sight: seen(withAgents()),
    seen: failed({ kind: 'throttled', retryAfterMs: 70_000, message: 'm' }),
    says: 'drain-unsaid:  → in 23.8 s, after throttled',
  },
  {
    it: 'a word that may have been heard is said again, more rarely the longer it takes',
    pod: drained(),
    row: rowOf(memory({ main: said() }, { words: { main: 'unsure' } })),
    sight: seen(withAgents()),
    seen: failed({ kind: 'transient', message: 'm' }),
    says: 'drain-unsaid:  → in 4.6 s, after transient',
  },
  // activeDeadlineSeconds
  {
    it: 'past activeDeadlineSeconds the agents end the programs, within the grace of the pod',
    pod: past,
    row: rowOf(memory({ main: said() })),
    sight: seen(withAgents()),
    says: 'deadline-drain: create-event(DeadlineExceeded), save-row(agent), drain-agents → again',
  },
  {
    it: 'which is waited for',
    pod: past,
    row: rowOf(
      memory(
        { main: said() },
        { at: noon + 10_000, since: noon + 10_000, by: noon + 40_000, words: { main: 'heard' } },
      ),
    ),
    sight: seen(withAgents()),
    says: 'deadline-draining:  → in 34 s',
  },
  {
    it: 'and the pod is Failed, with the true codes',
    pod: past,
    row: rowOf(
      memory(
        { main: parked(0, 12) },
        { at: noon + 10_000, since: noon + 10_000, by: noon + 40_000, words: { main: 'heard' } },
      ),
    ),
    seconds: 13,
    sight: seen(withAgents()),
    says: 'deadline-drained: create-event(DeadlineExceeded), patch-status(Failed) → in 10 s',
  },
  {
    it: 'a deadline without a grace stops the group',
    pod: drained({}, { activeDeadlineSeconds: 5, terminationGracePeriodSeconds: 0 }),
    row: rowOf(memory({ main: said() })),
    sight: seen(withAgents()),
    says: 'deadline-stop: patch-status(Running), save-row(keptLog), keep-log, save-row(keptLog), create-event(DeadlineExceeded), stop-group → again, stopping',
  },
  {
    it: 'so does one whose grace is over',
    pod: past,
    row: rowOf(
      memory(
        { main: said() },
        { at: noon + 10_000, since: noon + 10_000, by: noon + 40_000, words: { main: 'heard' } },
      ),
    ),
    seconds: 44,
    sight: seen(withAgents()),
    says: 'deadline-stop: patch-status(Running), save-row(keptLog), keep-log, save-row(keptLog), create-event(DeadlineExceeded), stop-group → again, stopping',
  },
  // Silence
  {
    it: 'an agent that has not reported for 90 s is asked why',
    pod: drained({}),
    row: rowOf({ key: agentKey, expected: ['main'], containers: {} }),
    seconds: 91,
    sight: seen(withAgents()),
    says: 'agent-silent: ask-agents → again',
  },
  {
    it: 'which is looked at in time',
    pod: drained({}),
    row: rowOf({ key: agentKey, expected: ['main'], containers: {} }),
    seconds: 85,
    sight: seen(withAgents()),
    says: 'running: patch-status(Running) → in 6 s',
  },
  {
    it: 'what it says is in an event',
    pod: drained({}),
    row: rowOf({ key: agentKey, expected: ['main'], containers: {}, silent: { main: 'no way out' } }),
    seconds: 91,
    sight: seen(withAgents()),
    says: 'running: patch-status(Running), create-event(AgentSilent) → in 75 s',
  },
];
