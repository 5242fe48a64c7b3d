import { answerPodReports } from '../../shared/app/answer-pod-reports.ts';
import { readAgentTags } from '../../shared/core/agent/agent-tags.ts';
import type { RootKeys } from '../../shared/core/agent/key.ts';
import { backoffMs } from '../../shared/core/backoff/backoff.ts';
import type { GroupBody } from '../../shared/core/group/group.ts';
import {
  agentContainers,
  bootIdOf,
  definiteAnswers,
  reportOf,
  requestOf,
  signedPost,
} from '../../infra/local/sim/agent-posts.ts';
import type { AgentPlace, AgentPost } from '../../infra/local/sim/agent-posts.ts';
import { runGroup } from '../../infra/local/sim/container-runs.ts';
import type { MemoryAgent } from '../../infra/local/sim/memory-agent-words.ts';
import type { MemoryContainerGroups } from '../../infra/local/sim/memory-container-groups.ts';
import type { AttachRequest } from '../../shared/ports/container-groups.ts';
import type { Behaviours, ProgramEnd, Run } from '../../infra/local/sim/container-runs.ts';
import { postFaults } from '../../infra/local/sim/faults/vocabulary.ts';
import type { Place } from '../../infra/local/sim/processes/place.ts';
import type { Chance } from '../../infra/local/sim/time/chance.ts';
import type { Scheduler } from '../../infra/local/sim/time/scheduler.ts';
import type { Incarnation } from './arm-server.ts';
import type { FaultSource } from './faults.ts';

export interface AgentsParts {
  readonly scheduler: Scheduler;
  readonly faults: FaultSource;
  readonly chance: Chance;
  readonly rate: number;
  readonly instances: readonly [Place, ...Place[]];
  readonly images: Behaviours;
  readonly keys: RootKeys;
  readonly groups: MemoryContainerGroups;
}

/** A program that an agent was told to end. */
export interface Told {
  readonly incarnation: Incarnation;
  readonly container: string;
  readonly heardAt: number;
  /** When it is killed. */
  by: number;
  /** When it ends, and how, unless it ends by itself before. */
  end: Pick<ProgramEnd, 'at' | 'exitCode'>;
  /** When the app has taken the report of the end, and what that was. */
  taken: { readonly at: number; readonly exitCode: number } | undefined;
}

const everyMs = 500;
const deadlineMs = 9_000;
const answerWithinMs = 10_000;
const retry = { baseMs: 500, maxMs: 30_000 };

interface Agent {
  readonly incarnation: Incarnation;
  readonly place: AgentPlace;
  readonly body: GroupBody;
  /** Its word is not in the container. */
  readonly isDeaf: boolean;
  told: Told | undefined;
  /** Which run, and whether its end, was last put into words; and how often it was sent in vain. */
  boot: number;
  number: number;
  failures: number;
  isSending: boolean;
}

/**
 * The agents of all groups that have one, as the app meets them: each reports the starts and ends of its container until it
 * is answered, over a network that loses, doubles, delays and reorders. What was sent once may come again much later, and
 * some send what they have no key for.
 */
export class ChaosAgents {
  readonly #parts: AgentsParts;
  readonly #sent: AgentPost[] = [];
  /** By `GROUP/CONTAINER`, the latest. */
  readonly #agents = new Map<string, Agent>();
  readonly told: Told[] = [];

  constructor(parts: AgentsParts) {
    this.#parts = parts;
  }

  /** A PUT took effect. */
  onGroup(incarnation: Incarnation, body: GroupBody): void {
    const tags = readAgentTags(body.tags);
    if (tags === undefined || incarnation.fails) return;
    for (const name of agentContainers(body)) {
      const isDeaf = this.#parts.chance.isHit(0.1);
      const idle = { told: undefined, boot: 0, number: 0, failures: 0, isSending: false };
      const { uid, at: putAt } = incarnation;
      const place = { uid, tags, container: name, restartPolicy: incarnation.restartPolicy, putAt };
      const agent: Agent = { incarnation, place, body, isDeaf, ...idle };
      this.#agents.set(`${incarnation.group}/${name}`, agent);
      this.#watch(agent);
    }
  }

  /** Who hears a word there; undefined: nobody. */
  at({ group, container }: AttachRequest): MemoryAgent | undefined {
    const agent = this.#agents.get(`${group}/${container}`);
    if (agent === undefined || agent.isDeaf || agent.incarnation.erased !== undefined) return undefined;
    if (agent.told === undefined && this.#runsOf(agent).at(-1)?.end !== undefined) return undefined;
    return {
      drain: (seconds) => this.#drain(agent, seconds),
      refresh: () => ({ ok: true }),
      status: () => ({ bootId: bootIdOf(agent.place, this.#runsOf(agent).length), phase: 'running' }),
    };
  }

  /** The program has a time and a code of its own, unless the grace is over before. */
  #drain(agent: Agent, seconds: number): { readonly ok: true } {
    const { scheduler, chance, groups } = this.#parts;
    const { now } = scheduler;
    const { incarnation } = agent;
    const { container } = agent.place;
    const by = Math.min(agent.told?.by ?? Infinity, now + seconds * 1000);
    const first: Told = agent.told ?? {
      incarnation,
      container,
      heardAt: now,
      by,
      end: { at: now + chance.between(200, 40_000), exitCode: chance.pick([0, 3, 143]) },
      taken: undefined,
    };
    if (agent.told === undefined) this.told.push(first);
    agent.told = first;
    first.by = by;
    if (first.end.at > by) first.end = { at: Math.max(now, by), exitCode: 137 };
    groups.endProgram({ group: incarnation.group, container }, { heardAt: first.heardAt, ...first.end });
    return { ok: true };
  }

  /** Until the group is gone: with it goes its agent, whatever it had still to say. */
  #watch(agent: Agent): void {
    if (agent.incarnation.erased !== undefined) return;
    this.#parts.scheduler.in(everyMs, () => this.#watch(agent));
    const runs = this.#runsOf(agent);
    const last = runs.at(-1);
    if (last === undefined || agent.isSending) return;
    const number = last.end === undefined ? (agent.told === undefined ? 1 : 2) : 3;
    if (agent.boot === runs.length && agent.number === number) return;
    void this.#say(agent, runs, number);
  }

  #runsOf({ incarnation, body, place }: Agent): readonly Run[] {
    const { scheduler, images } = this.#parts;
    const { ends } = this.#parts.groups.readGroup(incarnation.group) ?? {};
    const runs = runGroup(body, images, { from: incarnation.startsAt, until: scheduler.now, ends });
    return runs.main.get(place.container)?.runs ?? [];
  }

  /** What it says is its state of now; once it is answered, or given up, the next one may be said. */
  async #say(agent: Agent, runs: readonly Run[], number: number): Promise<void> {
    const { scheduler, chance } = this.#parts;
    agent.isSending = true;
    const said = signedPost(
      this.#parts.keys,
      agent.place,
      reportOf(agent.place, { runs, number, now: scheduler.now, drainBy: agent.told?.by }),
    );
    this.#sent.push(said);
    const status = await this.#post(said);
    const isOver = status !== undefined && definiteAnswers.has(status);
    if (isOver) {
      agent.boot = runs.length;
      agent.number = number;
      const isTaken = status === 200 || status === 204;
      const end = runs.at(-1)?.end;
      const { told } = agent;
      // An earlier run's may have been on its way when the word came.
      if (told !== undefined && end !== undefined && end.at >= told.heardAt && isTaken)
        told.taken ??= { at: scheduler.now, exitCode: end.exitCode };
    }
    agent.failures = isOver ? 0 : agent.failures + 1;
    if (!isOver) await scheduler.sleep(backoffMs(retry, agent.failures, chance.next()));
    agent.isSending = false;
  }

  /** What the network makes of it; undefined: no answer comes. */
  async #post(said: AgentPost): Promise<number | undefined> {
    const { chance, faults, rate, scheduler } = this.#parts;
    if (faults.isOver || !chance.isHit(rate)) return this.#send(said);
    const fate = chance.pick(postFaults);
    faults.count(`report: ${fate}`);
    switch (fate) {
      case 'dropped':
        return undefined;
      case 'doubled':
        void this.#send(said);
        return this.#send(said);
      case 'delayed':
        await scheduler.sleep(chance.between(1_000, 30_000));
        return this.#send(said);
      case 'reordered':
        void scheduler.sleep(chance.between(1_000, 120_000)).then(() => this.#send(this.#stray(said)));
        return this.#send(said);
      case 'answer lost':
        await this.#send(said);
        return undefined;
    }
  }

  /** Something that was sent before, of whomever; or signed for another pod than the one it is of. */
  #stray(said: AgentPost): AgentPost {
    const { chance } = this.#parts;
    const old = chance.pick([said, ...this.#sent]);
    return chance.isHit(0.5) ? old : { ...said, authorization: old.authorization };
  }

  #send(said: AgentPost): Promise<number | undefined> {
    const { chance, instances, scheduler } = this.#parts;
    const instance = chance.pick(instances);
    return new Promise((resolve) => {
      scheduler.in(answerWithinMs, () => resolve(undefined));
      scheduler.in(chance.between(5, 40), () => {
        const answered = instance.invoke(deadlineMs, (deps) =>
          answerPodReports({
            request: requestOf(said),
            log: deps.log,
            load: async () => ({ ok: true, deps }),
            deadlineMs,
          }),
        );
        void answered.then((outcome) => resolve(outcome.kind === 'answered' ? outcome.value.status : undefined));
      });
    });
  }
}
