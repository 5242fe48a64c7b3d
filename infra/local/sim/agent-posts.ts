import { agentKey, signature } from '../../../shared/core/agent/key.ts';
import type { RootKeys } from '../../../shared/core/agent/key.ts';
import type { AgentTags } from '../../../shared/core/agent/agent-tags.ts';
import { runCommand } from '../../../shared/core/agent/places.ts';
import { defined } from '../../../shared/core/defined.ts';
import type { GroupBody } from '../../../shared/core/group/group.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import type { SignedRequest } from '../../../shared/app/answer-signed.ts';
import { restarts } from './container-runs.ts';
import type { Run } from './container-runs.ts';

/** One container with an agent, of one PUT. */
export interface AgentPlace {
  readonly uid: string;
  readonly tags: AgentTags;
  readonly container: string;
  readonly restartPolicy: GroupBody['restartPolicy'];
  /** When the PUT took effect, in ms. */
  readonly putAt: number;
}

/** What an agent posts to `/api/pods/{uid}/…`. */
export interface AgentPost {
  readonly uid: string;
  readonly body: string;
  readonly authorization: string;
}

/** The answers that an agent sends nothing again after (infra/agent/README.md, Reports). */
export const definiteAnswers: ReadonlySet<number> = new Set([200, 204, 400, 409, 410, 413, 415, 422]);

/** The names of the containers that an agent stays beside. */
export const agentContainers = ({ containers }: Pick<GroupBody, 'containers'>): readonly string[] =>
  containers.filter(({ command = [] }) => command[0] === runCommand[0]).map(({ name }) => name);

/** Which run of the container this is, the first as 1; a later one sorts behind it. */
export const bootIdOf = ({ putAt }: Pick<AgentPlace, 'putAt'>, run: number): string =>
  `${String(putAt).padStart(16, '0')}-${String(run).padStart(8, '0')}`;

/** The last of the runs, as the real agent reports it (infra/agent/README.md, Reports). `drainBy`: a word of `drain` was heard, and the program is killed then. */
export function reportOf(
  place: AgentPlace,
  {
    runs,
    number,
    now,
    drainBy,
  }: {
    readonly runs: readonly Run[];
    readonly number: number;
    readonly now: number;
    readonly drainBy: number | undefined;
  },
): JsonObject {
  const last = runs.at(-1);
  return {
    ...named(place),
    bootId: bootIdOf(place, runs.length),
    number,
    sentAt: instant(now),
    state: {
      startedAt: instant(last?.startedAt ?? now),
      restarts: 0,
      ...defined({ drainBy: drainBy === undefined ? undefined : instant(drainBy) }),
      ...endingState(place, last, drainBy !== undefined),
      ...lastEnded(runs.at(-2)),
    },
  };
}

/** An agent asks for its volumes; `revisions`: what it has of each. */
export const filesRequestOf = (
  place: AgentPlace,
  {
    run,
    now,
    revisions,
  }: { readonly run: number; readonly now: number; readonly revisions: ReadonlyMap<string, string | undefined> },
): JsonObject => ({
  ...named(place),
  bootId: bootIdOf(place, run),
  sentAt: instant(now),
  volumes: [...revisions].map(([name, revision]) => ({ name, ...defined({ revision }) })),
});

const named = ({ uid, tags: { nonce, kid }, container }: AgentPlace): JsonObject => ({
  schemaVersion: 1,
  podUid: uid,
  nonce,
  kid,
  container,
});

/** Signed with the key of that pod's PUT. */
export function signedPost(
  { roots }: RootKeys,
  { uid, tags: { kid, nonce } }: AgentPlace,
  message: JsonObject,
): AgentPost {
  const root = roots[kid];
  if (root === undefined) throw new Error(`no root ${kid}`);
  const body = JSON.stringify(message);
  return { uid, body, authorization: signature(agentKey(root, { podUid: uid, nonce }), Buffer.from(body)) };
}

/** As the Functions host hands it to the app. */
export const requestOf = ({ uid, body, authorization }: AgentPost): SignedRequest => ({
  headers: new Headers({ 'content-type': 'application/json', authorization }),
  params: { uid },
  arrayBuffer: async () => new Uint8Array(Buffer.from(body)).buffer,
});

/** Of a program that runs, or how it ended. */
function endingState({ restartPolicy }: AgentPlace, last: Run | undefined, isDrained: boolean): JsonObject {
  if (last?.end === undefined) return { phase: 'running', started: true, ready: true, final: false };
  const { end } = last;
  const final = isDrained || !restarts(restartPolicy, end.exitCode);
  const phase = end.isParked === true ? 'parked' : 'ended';
  return { phase, started: false, ready: false, final, ended: endOf(last, end) };
}

const lastEnded = (before: Run | undefined): JsonObject =>
  before?.end === undefined ? {} : { lastEnded: endOf(before, before.end) };

const instant = (ms: number): string => new Date(ms).toISOString();

const endOf = ({ startedAt }: Run, { at, exitCode }: NonNullable<Run['end']>): JsonObject => ({
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  startedAt: instant(startedAt),
  finishedAt: instant(at),
});
