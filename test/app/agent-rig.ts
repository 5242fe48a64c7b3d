import { hearReport } from '../../shared/app/hear-report.ts';
import type { AgentState } from '../../shared/core/agent/reports/report.ts';
import type { JsonObject } from '../../shared/core/json.ts';
import { agentSettings as settings } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';
import type { World, WorldOptions } from './world.ts';

const config = { entrypoint: ['/entry'], cmd: [], env: {}, workingDir: '', user: '' };

/** What a program does when it gets its signal, and what becomes of its agent's words. */
export interface Program {
  /** Longer than the grace: it is killed. */
  readonly endsInMs: number;
  readonly exitCode: number;
  /** The program of the agent is not in the container. */
  readonly isMissing?: boolean;
  /** Nothing that it reports arrives. */
  readonly isUnheard?: boolean;
}

interface Life {
  readonly program: Program;
  readonly startedAt: number;
  /** When it is killed; undefined: it was not told to end. */
  by?: number;
  endsAt?: number;
  exitCode: number;
  number: number;
  /** The state that is to be reported; undefined: it was. */
  news: Partial<AgentState> | undefined;
  hasReportedEnd: boolean;
}

/** A world with one pod whose containers have agents, as plain objects on its clock. */
export class AgentRig {
  readonly world: World;
  readonly #lives = new Map<string, Life>();

  private constructor(world: World) {
    this.world = world;
  }

  /** The pod runs, and all agents that are heard have reported so. */
  static async create(
    programs: Readonly<Record<string, Program>>,
    { spec = {}, ...options }: WorldOptions & { readonly spec?: JsonObject } = {},
  ): Promise<AgentRig> {
    const world = await createWorld({ ...options, settings: { ...settings, ...options.settings } });
    world.imageRegistry.put('index.docker.io/library/serves', 'latest', {
      digest: `sha256:${'ab'.repeat(32)}`,
      config,
    });
    const lifecycle = { preStop: { exec: { command: ['/x'] } } };
    const containers = Object.keys(programs).map((name) => ({ name, image: 'serves', lifecycle }));
    world.createPod('serves', { restartPolicy: 'Always', containers, ...spec });
    const rig = new AgentRig(world);
    await world.run(10);
    const group = world.groups.names()[0] ?? '';
    for (const [container, program] of Object.entries(programs)) {
      const life: Life = { program, startedAt: world.now, exitCode: 0, number: 0, news: {}, hasReportedEnd: false };
      rig.#lives.set(container, life);
      world.agents.setAgent(
        { group, container },
        program.isMissing === true
          ? undefined
          : {
              drain: (seconds) => rig.#drain(life, seconds),
              refresh: () => ({ ok: true }),
              status: () => ({ bootId: 'b1', phase: 'running', lastFault: 'dial tcp: lookup app: no such host' }),
            },
      );
    }
    await rig.run(5);
    return rig;
  }

  /** Whether all programs with an agent have ended, and the app was told. */
  get areAllReported(): boolean {
    return [...this.#lives.values()].every(
      ({ program, hasReportedEnd }) => program.isMissing === true || hasReportedEnd,
    );
  }

  /** As the world's, with the agents in it; a crash of the app ends a second early, and the next process goes on. */
  async run(seconds: number, onCrash: (error: unknown) => void = rethrow): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      try {
        await this.world.step();
        await this.#tick();
      } catch (error) {
        onCrash(error);
        this.world.restart();
      }
      this.world.now += 1000;
    }
  }

  #drain(life: Life, seconds: number): { readonly ok: true } {
    const { now } = this.world;
    const by = Math.min(life.by ?? Infinity, now + seconds * 1000);
    const endsAt = Math.min(life.endsAt ?? Infinity, now + life.program.endsInMs);
    life.by = by;
    life.endsAt = Math.min(endsAt, by);
    life.exitCode = endsAt <= by ? life.program.exitCode : 137;
    life.news ??= { drainBy: by };
    return { ok: true };
  }

  async #tick(): Promise<void> {
    for (const [container, life] of this.#lives) {
      const { endsAt } = life;
      const hasEnded = endsAt !== undefined && endsAt <= this.world.now;
      if (hasEnded && !life.hasReportedEnd) life.news = this.#endOf(life, endsAt);
      if (life.news !== undefined) await this.#report(container, life, life.news, hasEnded);
    }
  }

  #endOf({ exitCode, startedAt }: Life, finishedAt: number): Partial<AgentState> {
    const ended = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt, finishedAt };
    return { phase: 'parked', started: false, ready: false, final: true, ended };
  }

  /** Said again until it is answered. */
  async #report(container: string, life: Life, news: Partial<AgentState>, isEnd: boolean): Promise<void> {
    const { world } = this;
    const row = world.row();
    if (row?.agent === undefined || life.program.isUnheard === true || life.program.isMissing === true) return;
    life.number += 1;
    // The app may act on it before it answers.
    life.hasReportedEnd = isEnd;
    const heard = await hearReport(
      world.deps,
      world.nodeDeps(),
      {
        ...row.agent.key,
        podUid: row.uid,
        container,
        bootId: 'b1',
        number: life.number,
        sentAt: world.now,
        state: {
          phase: 'running',
          startedAt: life.startedAt,
          started: true,
          ready: true,
          restarts: 0,
          final: false,
          ...news,
        },
        events: [],
      },
      new AbortController().signal,
    );
    if (heard.kind === 'heard') life.news = undefined;
    else life.hasReportedEnd = false;
  }
}

function rethrow(error: unknown): void {
  throw error;
}
