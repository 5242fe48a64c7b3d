import { defineFunction } from './definitions.ts';
import type { FunctionDefinition, HttpFunction, TimerFunction } from './definitions.ts';
import type { HostContext } from './host-context.ts';
import { HttpPool } from './http-pool.ts';
import type { RegisteredFunction } from './protocol.ts';
import { RouteTable } from './route-table.ts';
import { isDisabled, resolveSettings } from './settings.ts';
import { TimerGroup } from './timer-group.ts';
import { parseSchedule } from './timer-schedule.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** A function as the admin interface lists it. */
export interface IndexedFunction {
  readonly definition: FunctionDefinition;
  readonly isDisabled: boolean;
}

/**
 * All workers that were started with one set of settings, and the functions that they reported. A restart makes the next
 * generation; HTTP moves over when that is ready, timers after those of the old one have ended.
 */
export class Generation {
  readonly pool: HttpPool;
  functions: readonly IndexedFunction[] = [];
  routes = new RouteTable([], '');
  timers: readonly TimerGroup[] = [];
  readonly #context: HostContext;

  constructor(context: HostContext) {
    this.#context = context;
    this.pool = new HttpPool(context);
  }

  /** Starts the HTTP instances and learns the app's functions from them. A fault of the app is a sentence in the answer. */
  async startHttp(): Promise<string | undefined> {
    const outcomes = await this.pool.start();
    const ready = outcomes.find((outcome) => outcome.kind === 'ready');
    if (ready === undefined) {
      const fault = outcomes.find((outcome) => outcome.kind === 'failed');
      return fault?.message ?? 'No HTTP instance could be started.';
    }
    this.#index(ready.functions);
    const hasHttp = this.functions.some(({ definition }) => definition.kind === 'http');
    if (!hasHttp && !this.#context.isSingleProcess) await this.pool.stop(0);
    return undefined;
  }

  /** Starts the timers' processes; resolves when each has loaded the app or failed to. */
  async startTimers(): Promise<void> {
    await Promise.all(this.timers.map((timer) => timer.start()));
  }

  slots(): WorkerSlot[] {
    return [...new Set([...this.timers.map((timer) => timer.slot), ...this.pool.slots])];
  }

  async stop(drainMs: number): Promise<void> {
    await Promise.all([this.pool.stop(drainMs), this.stopTimers(drainMs)]);
  }

  /** No timer runs any more; requests are served on. */
  drainTimers(): void {
    this.timers.forEach((timer) => timer.drain());
  }

  async stopTimers(drainMs: number): Promise<void> {
    await Promise.all(this.timers.map((timer) => timer.stop(drainMs)));
  }

  #index(registered: readonly RegisteredFunction[]): void {
    const env = this.#context.environment();
    this.functions = registered.flatMap((one): IndexedFunction[] => {
      try {
        return [{ definition: defineFunction(one), isDisabled: isDisabled(one.name, env) }];
      } catch (thrown) {
        this.#fault(one.name, thrown);
        return [];
      }
    });
    const enabled = this.functions.filter((one) => !one.isDisabled).map((one) => one.definition);
    const http = enabled.filter((one): one is HttpFunction => one.kind === 'http');
    this.routes = new RouteTable(http, this.#context.hostJson.routePrefix);
    for (const fault of this.routes.faults) this.#context.logs.host('error', 'Startup', fault);
    for (const one of enabled.filter((candidate) => candidate.kind === 'unserved'))
      this.#context.logs.host(
        'warning',
        'Startup',
        `Function "${one.name}" is not served: its trigger needs an extension of the real host.`,
      );
    const timers = enabled.filter((one): one is TimerFunction => one.kind === 'timer');
    this.timers = timers.flatMap((one) => this.#timer(one, env));
  }

  #timer(definition: TimerFunction, env: NodeJS.ProcessEnv): TimerGroup[] {
    try {
      const schedule = parseSchedule(resolveSettings(definition.schedule, (name) => env[name]));
      const shared = this.#context.isSingleProcess ? this.pool.slots[0] : undefined;
      return [new TimerGroup(this.#context, { definition, schedule }, shared)];
    } catch (thrown) {
      this.#fault(definition.name, thrown);
      return [];
    }
  }

  #fault(name: string, thrown: unknown): void {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    this.#context.logs.host('error', 'Startup', `The '${name}' function is in error: ${reason}`);
  }
}
