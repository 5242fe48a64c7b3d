/** The oracles of docs/architecture.md, on everything that the outside worlds remember of pods. Each sentence is a broken one. */
import type { ArmRequest, GatedCloud, Run } from './gated-cloud.ts';
import type { PodHistory } from '../pod-recorder.ts';
import { parsePodRow } from '../../../shared/wire/rows.ts';

/** What must be true of one pod when all is over. */
export interface Expected {
  readonly uid: string;
  /** For the sentences: the pod's name, and where it was hurt. */
  readonly label: string;
  /** How often its group was PUT. */
  readonly puts: readonly number[];
  /** The exit codes of its runs, in order, each way that is right; absent: whatever its runs had. */
  readonly codes?: readonly (readonly (number | null)[])[];
  /** What its last status may show of the end; absent: the code of the last run. */
  readonly shown?: readonly number[] | 'running';
}

/** O1 to O4 of pods that are gone, or ended. */
export async function brokenPromises(
  cloud: GatedCloud,
  histories: ReadonlyMap<string, PodHistory>,
  expectations: readonly Expected[],
): Promise<string[]> {
  const [runs, requests] = await Promise.all([cloud.runs(), cloud.journal()]);
  const groupNames = new Map(runs.map((run) => [run.uid, run.group.split('/').at(-1) ?? '']));
  return expectations.flatMap((expected) => {
    const history = histories.get(expected.uid);
    if (history === undefined) return [`${expected.label}: the API server never showed it`];
    const own = runs
      .filter(({ uid }) => uid === expected.uid)
      .sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
    return [
      ...putFaults(expected, requests, groupNames.get(expected.uid)),
      ...runFaults(expected, own),
      ...endFaults(expected, history, own),
      ...phaseFaults(history),
    ].map((sentence) => `${expected.label}: ${sentence}`);
  });
}

/** One PUT makes the group; a second one of the same body would restart its containers. */
function putFaults({ puts }: Expected, requests: readonly ArmRequest[], group: string | undefined): string[] {
  const count = group === undefined ? 0 : putsOf(requests, group);
  return puts.includes(count) ? [] : [`O2: ${count} PUTs of its group`];
}

const putsOf = (requests: readonly ArmRequest[], group: string): number =>
  requests.filter(({ method, path }) => method === 'PUT' && path.includes(`/containerGroups/${group}?`)).length;

/** A container ran as often as Kubernetes would have run it. */
function runFaults({ codes }: Expected, own: readonly Run[]): string[] {
  const seen = JSON.stringify(own.map(({ exitCode }) => exitCode ?? null));
  return codes === undefined || codes.some((right) => JSON.stringify(right) === seen)
    ? []
    : [`O2: its container ran ${own.length} times and ended with ${seen}, not ${JSON.stringify(codes)}`];
}

/** The last status reports the true end, or that there was none. */
function endFaults({ shown }: Expected, { pod, phases }: PodHistory, own: readonly Run[]): string[] {
  const state = pod.status?.containerStatuses?.[0]?.state;
  if (shown === 'running')
    return state?.running === undefined
      ? [`O3: its last status does not show it running, in phase ${phases.at(-1)}`]
      : [];
  const last = own.at(-1);
  if (last === undefined) return [];
  const ended = state?.terminated;
  if (ended === undefined) return [`O3: its last status shows no end, in phase ${phases.at(-1)}`];
  const isInvented = ended.exitCode === 137 && ended.reason !== 'ContainerStatusUnknown' && !own.some(isKilled);
  const isRight = shown === undefined ? ended.exitCode === last.exitCode : shown.includes(ended.exitCode);
  return isRight && !isInvented
    ? []
    : [`O3: its status says ${ended.exitCode} (${ended.reason}), the process ${last.exitCode}`];
}

const isKilled = ({ exitCode }: Run): boolean => exitCode === 137;

const rank: Readonly<Record<string, number>> = { Pending: 0, Running: 1, Succeeded: 2, Failed: 2 };

/** Phase never goes back, and the last one is final. */
function phaseFaults({ phases }: PodHistory): string[] {
  const forward = phases.every((phase, at) => at === 0 || (rank[phase] ?? -1) > (rank[phases[at - 1] ?? ''] ?? 0));
  return forward ? [] : [`O4: its phase went ${phases.join(' → ')}`];
}

/** O1 at the end: groups and rows of pods that are no more. */
export async function leftovers(cloud: GatedCloud, uids: readonly string[]): Promise<string[]> {
  const [groups, rows] = await Promise.all([cloud.groups(), cloud.rows()]);
  const own = groups.filter(({ tags }) => uids.includes(tags['kubernetes-pod-uid'] ?? ''));
  return [
    ...own.map(({ name }) => `O1: group ${name} has no pod`),
    // What the ledger has of a pod stays.
    ...[...rows.keys()]
      .filter((key) => !/\/usage-/.test(key) && uids.some((uid) => key.includes(uid)))
      .map((key) => `O1: row ${key} has no pod`),
  ];
}

/** Pods whose groups the orphan brake holds, as their rows say (rule 4 of docs/architecture.md). */
export async function heldOrphans(cloud: GatedCloud): Promise<ReadonlySet<string>> {
  const rows = [...(await cloud.rows()).values()].map(({ text }) => parsePodRow(text));
  return new Set(
    rows.flatMap((row) => (row.kind === 'row' && row.value.orphan?.state === 'held' ? [row.value.uid] : [])),
  );
}

/** O6: ARM never had to refuse the app for ARM's own limits. */
export async function refusals(cloud: GatedCloud): Promise<string[]> {
  const refused = (await cloud.journal()).filter(({ status, injected }) => status === 429 && !injected);
  return refused.length === 0 ? [] : [`O6: ${refused.length} requests got 429, the first ${refused[0]?.path}`];
}
