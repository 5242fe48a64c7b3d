import type { GroupBody } from '../../../shared/core/group/group.ts';

/** What one run of a container does; without `runMs` it goes on until it is ended from outside. */
export interface RunBehaviour {
  readonly runMs?: number;
  /** 0 unless given. */
  readonly exitCode?: number;
}

/** What the containers of an image do. As an init container an image without `runMs` ends at once with 0. */
export interface ImageBehaviour extends RunBehaviour {
  /** One by one, the last again and again; absent: each run as the image itself says. */
  readonly runs?: readonly [RunBehaviour, ...RunBehaviour[]];
  /** Written at the start. */
  readonly log?: string;
  /** What it uses while it runs; 100 millicores and 50 MB unless given. */
  readonly use?: { readonly millicores: number; readonly bytes: number };
}

export type Behaviours = Readonly<Record<string, ImageBehaviour>>;

/** One run, in ms since the epoch; without an end it goes on. */
export interface Run {
  readonly startedAt: number;
  readonly end: RunOutcome | undefined;
}

export interface RunOutcome {
  readonly at: number;
  readonly exitCode: number;
  /** The agent stays as process 1, so that ACI, which would start the container again, shows it running. */
  readonly isParked?: true;
}

/** An agent has heard that its program is to end: the run of then is the last. */
export interface ProgramEnd {
  readonly heardAt: number;
  /** When the program ends, unless it does so by itself before. */
  readonly at: number;
  readonly exitCode: number;
}

/** A container's runs up to some moment. */
export interface RunHistory {
  readonly runs: readonly Run[];
  /** Since when it has ended for good; undefined: it runs, or will be run again. */
  readonly settledAt: number | undefined;
}

type Policy = GroupBody['restartPolicy'];

/** ACI's back-off between two runs: 10, 20, 40 … 300 s (docs/aci.md, Life of a group). */
const firstBackoffMs = 10_000;
const longestBackoffMs = 300_000;

/** Whether ACI starts a container again that has ended so. */
export const restarts = (policy: Policy, exitCode: number): boolean =>
  policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);

/** The runs of one container that is first started at `from`, as far as they have begun at `until`. */
export function runContainer(
  behaviour: ImageBehaviour,
  world: {
    readonly from: number;
    readonly until: number;
    readonly policy: Policy;
    readonly ordered?: ProgramEnd | undefined;
  },
): RunHistory {
  const runs: Run[] = [];
  let startedAt = world.from;
  while (startedAt <= world.until) {
    const { runMs, exitCode = 0 } = behaviour.runs?.[runs.length] ?? behaviour.runs?.at(-1) ?? behaviour;
    const endsAt = runMs === undefined ? Infinity : startedAt + runMs;
    const last = lastRun({ startedAt, endsAt, exitCode }, world);
    if (last !== undefined) return { ...last, runs: [...runs, ...last.runs] };
    if (endsAt > world.until) return { runs: [...runs, { startedAt, end: undefined }], settledAt: undefined };
    runs.push({ startedAt, end: { at: endsAt, exitCode } });
    if (!restarts(world.policy, exitCode)) return { runs, settledAt: endsAt };
    startedAt = endsAt + Math.min(longestBackoffMs, firstBackoffMs * 2 ** (runs.length - 1));
  }
  return { runs, settledAt: undefined };
}

/** The run in which an agent has heard that its program is to end; undefined: it is another. */
function lastRun(
  { startedAt, endsAt, exitCode }: { readonly startedAt: number; readonly endsAt: number; readonly exitCode: number },
  { until, policy, ordered }: Parameters<typeof runContainer>[1],
): RunHistory | undefined {
  if (ordered === undefined || ordered.heardAt < startedAt || ordered.heardAt >= endsAt) return undefined;
  const end = ordered.at < endsAt ? { at: ordered.at, exitCode: ordered.exitCode } : { at: endsAt, exitCode };
  if (end.at > until) return { runs: [{ startedAt, end: undefined }], settledAt: undefined };
  return restarts(policy, end.exitCode)
    ? { runs: [{ startedAt, end: { ...end, isParked: true } }], settledAt: undefined }
    : { runs: [{ startedAt, end }], settledAt: end.at };
}

/** What ran in a group up to some moment. */
export interface GroupRuns {
  /** By container name; init containers that were not reached have no runs. */
  readonly init: ReadonlyMap<string, RunHistory>;
  readonly main: ReadonlyMap<string, RunHistory>;
  /** When the last init container succeeded, so that the others start; undefined: not yet, or never. */
  readonly initializedAt: number | undefined;
  /** When an init container ended for good and badly. */
  readonly initFailedAt: number | undefined;
}

/** By the names of containers. */
export type ProgramEnds = ReadonlyMap<string, ProgramEnd>;

const nothing: RunHistory = { runs: [], settledAt: undefined };

/** Init containers one after the other (`Always` runs them again only when they fail), then all others at once. */
export function runGroup(
  body: Pick<GroupBody, 'containers' | 'initContainers' | 'restartPolicy'>,
  behaviours: Behaviours,
  { from, until, ends }: { readonly from: number; readonly until: number; readonly ends?: ProgramEnds | undefined },
): GroupRuns {
  const init = new Map<string, RunHistory>();
  let startsAt: number | undefined = from;
  let initFailedAt: number | undefined;
  const policy = body.restartPolicy === 'Always' ? 'OnFailure' : body.restartPolicy;
  for (const { name, image } of body.initContainers) {
    const behaviour = behaviourOf(behaviours, image);
    const finite = behaviour.runs === undefined ? { ...behaviour, runMs: behaviour.runMs ?? 0 } : behaviour;
    const history: RunHistory =
      startsAt === undefined ? nothing : runContainer(finite, { from: startsAt, until, policy });
    init.set(name, history);
    const failed = history.settledAt !== undefined && history.runs.at(-1)?.end?.exitCode !== 0;
    if (failed) initFailedAt = history.settledAt;
    startsAt = failed ? undefined : history.settledAt;
  }
  const begins = startsAt !== undefined && startsAt <= until ? startsAt : undefined;
  const main = new Map(
    body.containers.map(({ name, image }): [string, RunHistory] => [
      name,
      begins === undefined
        ? nothing
        : runContainer(behaviourOf(behaviours, image), {
            from: begins,
            until,
            policy: body.restartPolicy,
            ordered: ends?.get(name),
          }),
    ]),
  );
  return { init, main, initializedAt: begins, initFailedAt };
}

/** An image by its digest does what the image of that name does. */
export const behaviourOf = (behaviours: Behaviours, image: string): ImageBehaviour =>
  behaviours[image] ?? behaviours[image.split('@', 1)[0] ?? ''] ?? {};
