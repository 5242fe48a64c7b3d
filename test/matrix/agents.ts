import * as z from 'zod';
import { answerFilesCall } from '../../shared/app/answer-pod-files.ts';
import { answerPodReports } from '../../shared/app/answer-pod-reports.ts';
import type { SignedCall } from '../../shared/app/answer-signed.ts';
import type { Answer } from '../../shared/app/run-http.ts';
import { readAgentTags } from '../../shared/core/agent/agent-tags.ts';
import type { RootKeys } from '../../shared/core/agent/key.ts';
import { tagNames } from '../../shared/core/group/identity.ts';
import type { JsonObject } from '../../shared/core/json.ts';
import {
  agentContainers,
  bootIdOf,
  definiteAnswers,
  filesRequestOf,
  reportOf,
  requestOf,
  signedPost,
} from '../../infra/local/sim/agent-posts.ts';
import type { AgentPlace } from '../../infra/local/sim/agent-posts.ts';
import type { Run } from '../../infra/local/sim/container-runs.ts';
import type { MemoryGroup } from '../../infra/local/sim/group-life.ts';
import type { MemoryAgent } from '../../infra/local/sim/memory-agent-words.ts';
import type { MemoryContainerGroups } from '../../infra/local/sim/memory-container-groups.ts';
import type { CountedApp } from '../../infra/local/sim/processes/counted-app.ts';
import type { AttachRequest } from '../../shared/ports/container-groups.ts';

/** What the agents of a life do. */
export interface AgentManners {
  /** From a program's signal to its end; a longer one than the grace is killed. */
  readonly endsInMs: number;
  readonly exitCode: number;
  /** No word reaches it. */
  readonly isDeaf?: true;
  /** Nothing that it says arrives. */
  readonly isMute?: true;
  /** Of each container. */
  readonly liveVolumes?: readonly string[];
}

export interface LifeAgentsParts {
  readonly now: () => number;
  readonly groups: MemoryContainerGroups;
  readonly keys: RootKeys;
  readonly manners: AgentManners;
  /** The processes that take a post now. */
  readonly able: () => readonly CountedApp[];
  readonly start: (invocation: Promise<unknown>) => void;
}

interface Agent {
  readonly place: AgentPlace;
  readonly at: AttachRequest;
  /** Of its live volumes, and what it has of each: a revision, and the files. */
  readonly volumes: Map<
    string,
    { readonly revision: string; readonly files: Readonly<Record<string, string>> } | undefined
  >;
  /** It was told to end: when its program is killed. */
  drainBy: number | undefined;
  /** `BOOT NUMBER` of what was answered last. */
  reported: string;
  mustFetch: boolean;
  /** Until an answer comes, or is given up; then until it says it again. */
  waitsUntil: number;
}

interface News {
  readonly runs: readonly Run[];
  readonly number: number;
}

interface Post {
  readonly message: JsonObject;
  readonly answerer: (call: SignedCall) => Promise<Answer>;
}

const answerWithinMs = 10_000;
const retryMs = 1_000;
const deadlineMs = 9_000;
/** So far ahead the ends of programs are looked up. */
const horizonMs = 600_000;

const answerSchema = z.object({
  volumes: z.array(
    z.object({
      name: z.string(),
      revision: z.string(),
      files: z.array(z.object({ path: z.string(), data: z.base64() })),
    }),
  ),
});

/** The agents of a life: each says where its container is until the app has answered, and does what it is told. */
export class LifeAgents {
  readonly #parts: LifeAgentsParts;
  /** By `GROUP/CONTAINER`, of the PUT that is in force. */
  #agents = new Map<string, Agent>();
  #posts = 0;

  constructor(parts: LifeAgentsParts) {
    this.#parts = parts;
  }

  /** Nothing is on its way, and nothing waits to be said. */
  get isIdle(): boolean {
    return [...this.#agents.values()].every((agent) => !agent.mustFetch && this.#newsOf(agent) === undefined);
  }

  /** When a program starts or ends, or something is said again. */
  get nextAt(): number {
    const { now, groups } = this.#parts;
    const at = [...this.#agents.values()].flatMap((agent) => [
      agent.mustFetch || this.#newsOf(agent) !== undefined ? agent.waitsUntil : Infinity,
      ...groups
        .containerRuns(agent.at, now() + horizonMs)
        .flatMap(({ startedAt, end }) => [startedAt, end?.at ?? Infinity])
        .filter((change) => change > now()),
    ]);
    return Math.min(Infinity, ...at);
  }

  /** Who hears a word there; undefined: nobody. */
  at(place: AttachRequest): MemoryAgent | undefined {
    this.#look();
    const agent = this.#agents.get(keyOf(place));
    if (agent === undefined || this.#parts.manners.isDeaf === true) return undefined;
    const runs = this.#runsOf(agent);
    const last = runs.at(-1);
    // ACI has a place to run the word in while the agent is process 1.
    if (last === undefined || (last.end !== undefined && last.end.isParked !== true)) return undefined;
    return {
      drain: (seconds) => this.#drain(agent, seconds),
      refresh: () => {
        agent.mustFetch = true;
        return { ok: true };
      },
      status: () => ({ bootId: bootIdOf(agent.place, runs.length), phase: 'running' }),
    };
  }

  /** What a container has of a live volume; undefined: nothing was fetched yet. */
  filesOf(volume: string): Readonly<Record<string, string>> | undefined {
    return [...this.#agents.values()]
      .map(({ volumes }) => volumes.get(volume)?.files)
      .find((files) => files !== undefined);
  }

  /** Says what is to be said. */
  trigger(): void {
    this.#look();
    const now = this.#parts.now();
    for (const agent of this.#agents.values()) {
      if (now < agent.waitsUntil) continue;
      const news = this.#newsOf(agent);
      if (news !== undefined) this.#say(agent, news);
      else if (agent.mustFetch) this.#fetch(agent);
    }
  }

  /** A PUT of the same name has agents of its own. */
  #look(): void {
    const { groups, manners } = this.#parts;
    const found = groups.names().flatMap((name) => {
      const group = groups.readGroup(name);
      return group === undefined ? [] : agentsIn(group, manners.liveVolumes ?? []);
    });
    this.#agents = new Map(
      found.map((agent) => {
        const key = keyOf(agent.at);
        const known = this.#agents.get(key);
        return [key, known?.place.tags.nonce === agent.place.tags.nonce ? known : agent];
      }),
    );
  }

  #runsOf({ at }: Agent): readonly Run[] {
    return this.#parts.groups.containerRuns(at, this.#parts.now());
  }

  /** What was not answered yet; undefined: nothing. */
  #newsOf(agent: Agent): News | undefined {
    if (this.#parts.manners.isMute === true) return undefined;
    const runs = this.#runsOf(agent);
    const last = runs.at(-1);
    if (last === undefined) return undefined;
    const number = last.end === undefined ? (agent.drainBy === undefined ? 1 : 2) : 3;
    return agent.reported === `${runs.length} ${number}` ? undefined : { runs, number };
  }

  #drain(agent: Agent, seconds: number): { readonly ok: true } {
    const { now, groups, manners } = this.#parts;
    const heardAt = now();
    agent.drainBy = Math.min(agent.drainBy ?? Infinity, heardAt + seconds * 1000);
    agent.waitsUntil = Math.min(agent.waitsUntil, heardAt);
    const at = heardAt + manners.endsInMs;
    const end = at <= agent.drainBy ? { at, exitCode: manners.exitCode } : { at: agent.drainBy, exitCode: 137 };
    const known = groups.readGroup(agent.at.group)?.ends?.get(agent.at.container);
    groups.endProgram(agent.at, known === undefined || end.at < known.at ? { heardAt, ...end } : known);
    return { ok: true };
  }

  #say(agent: Agent, { runs, number }: News): void {
    const { drainBy } = agent;
    const message = reportOf(agent.place, { runs, number, now: this.#parts.now(), drainBy });
    this.#post(agent, { message, answerer: answerPodReports }, () => {
      agent.reported = `${runs.length} ${number}`;
    });
  }

  #fetch(agent: Agent): void {
    const revisions = new Map([...agent.volumes].map(([name, had]) => [name, had?.revision]));
    const run = this.#runsOf(agent).length;
    const message = filesRequestOf(agent.place, { run, now: this.#parts.now(), revisions });
    this.#post(agent, { message, answerer: answerFilesCall }, ({ status, body = '' }) => {
      agent.mustFetch = false;
      if (status !== 200) return;
      for (const { name, revision, files } of answerSchema.parse(JSON.parse(body)).volumes) {
        const texts = files.map(({ path, data }) => [path, Buffer.from(data, 'base64').toString()]);
        agent.volumes.set(name, { revision, files: Object.fromEntries(texts) });
      }
    });
  }

  /** To one process after the other; what gets no answer is said again. */
  #post(agent: Agent, { message, answerer }: Post, onAnswer: (answer: Answer) => void): void {
    const able = this.#parts.able();
    this.#posts += 1;
    const process = able[this.#posts % able.length];
    const sentAt = this.#parts.now();
    agent.waitsUntil = sentAt + (process === undefined ? retryMs : answerWithinMs);
    if (process === undefined) return;
    const { deps } = process;
    const request = requestOf(signedPost(this.#parts.keys, agent.place, message));
    const call = { request, log: deps.log, load: async () => ({ ok: true as const, deps }), deadlineMs };
    const hear = async (): Promise<void> => {
      const answer = await answerer(call);
      // Its sender has given up by then.
      if (this.#parts.now() >= sentAt + answerWithinMs) return;
      const isDefinite = definiteAnswers.has(answer.status);
      if (isDefinite) onAnswer(answer);
      agent.waitsUntil = this.#parts.now() + (isDefinite ? 0 : retryMs);
    };
    this.#parts.start(hear());
  }
}

const keyOf = ({ group, container }: AttachRequest): string => `${group}/${container}`;

function agentsIn({ name: group, body, createdAt: putAt }: MemoryGroup, volumes: readonly string[]): readonly Agent[] {
  const tags = readAgentTags(body.tags);
  const uid = body.tags[tagNames.uid];
  if (tags === undefined || uid === undefined) return [];
  const { restartPolicy } = body;
  return agentContainers(body).map((container) => ({
    place: { uid, tags, container, restartPolicy, putAt },
    at: { group, container },
    volumes: new Map(volumes.map((name) => [name, undefined])),
    drainBy: undefined,
    reported: '',
    mustFetch: false,
    waitsUntil: 0,
  }));
}
