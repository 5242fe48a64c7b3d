/** The starts of containers that the emulated ACI has seen; one that ought not to have been says how it came about. */
import * as z from 'zod';

const runSchema = z.object({
  group: z.string(),
  container: z.string(),
  tags: z.record(z.string(), z.string()),
  sandbox: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().optional(),
  exitCode: z.number().optional(),
  oomKilled: z.boolean().optional(),
});
const eventSchema = z.object({ name: z.string(), message: z.string(), count: z.number(), lastTimestamp: z.number() });
const groupSchema = z.object({
  id: z.string(),
  containers: z.record(z.string(), z.object({ restartCount: z.number(), events: z.array(eventSchema) })),
});
const requestSchema = z.object({
  time: z.string(),
  method: z.string(),
  path: z.string(),
  status: z.number(),
  durationMs: z.number(),
});
const runsSchema = z.object({ runs: z.array(runSchema) });
const groupsSchema = z.object({ groups: z.array(groupSchema) });
const requestsSchema = z.object({ requests: z.array(requestSchema) });

type Run = z.infer<typeof runSchema>;
type Group = z.infer<typeof groupSchema>;
type Request = z.infer<typeof requestSchema>;

/**
 * Every start that ever was, as "group container instant", sorted. Throws unless there were `expected`, each the only try
 * of a container that still runs. The message says of every other one when and in which life of its group it was
 * started, how it ended, what ARM was asked for its group, and what its events are.
 */
export async function startsOfOnceStarted(adminUrl: string, expected: number): Promise<readonly string[]> {
  const ask = async (path: string): Promise<unknown> => (await fetch(`${adminUrl}/_emulator/${path}`)).json();
  const { runs } = runsSchema.parse(await ask('runs'));
  const { groups } = groupsSchema.parse(await ask('groups'));
  const byContainer = Map.groupBy(runs, ({ group, container }) => `${group} ${container}`);
  const isAsMeant = ([first, ...more]: readonly Run[]): boolean =>
    first !== undefined &&
    more.length === 0 &&
    first.finishedAt === undefined &&
    groupOf(first, groups)?.containers[first.container]?.restartCount === 0;
  const others = [...byContainer.values()].filter((starts) => !isAsMeant(starts));
  if (runs.length !== expected || others.length > 0) {
    const { requests } = requestsSchema.parse(await ask('journal'));
    // Where each is as meant but for their number, every one may be the one too many.
    const reported = others.length > 0 ? others : [...byContainer.values()];
    throw new Error(
      [
        `${expected} containers were to be started once each and to run: ${runs.length} starts of ${byContainer.size} containers, ${groups.length} groups`,
        ...reported.map((starts) => report(starts, groups, requests)),
      ].join('\n'),
    );
  }
  return runs.map(({ group, container, startedAt }) => `${group} ${container} ${startedAt}`).toSorted();
}

const groupOf = ({ group }: Run, groups: readonly Group[]): Group | undefined =>
  groups.find(({ id }) => id.toLowerCase() === group.toLowerCase());

function report(starts: readonly Run[], groups: readonly Group[], requests: readonly Request[]): string {
  const [first] = starts;
  if (first === undefined) return '';
  const group = groupOf(first, groups);
  const changes = requests.filter(
    ({ method, path }) => method !== 'GET' && path.toLowerCase().includes(first.group.toLowerCase()),
  );
  return [
    `${first.group} ${first.container}, ${JSON.stringify(first.tags)}${group === undefined ? ', which is gone' : ''}`,
    ...starts.map((run, index) => `  ${run.startedAt} started ${reasonOf(run, starts[index - 1])}${endOf(run)}`),
    ...changes.map(
      ({ time, method, path, status, durationMs }) => `  ${time} ${method} ${path}: ${status} in ${durationMs} ms`,
    ),
    ...(group?.containers[first.container]?.events ?? []).map(
      ({ lastTimestamp, name, message, count }) =>
        `  ${new Date(lastTimestamp).toISOString()} ${name} × ${count}: ${message}`,
    ),
  ].join('\n');
}

/** A PUT, start or restart makes another sandbox; the restart policy starts in the one that is there. */
function reasonOf(run: Run, before: Run | undefined): string {
  if (before === undefined) return `in ${run.sandbox}`;
  if (before.sandbox === run.sandbox) return 'again in its place, by the restart policy';
  return `anew in ${run.sandbox}: the group was changed or started again`;
}

function endOf({ finishedAt, exitCode, oomKilled }: Run): string {
  if (finishedAt === undefined) return ', and runs';
  return `, and ended ${finishedAt} with ${exitCode}${oomKilled === true ? ', out of memory' : ''}`;
}
