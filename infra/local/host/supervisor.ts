import { once } from 'node:events';
import type { Server } from 'node:http';
import path from 'node:path';
import { createControlPort } from './control-port.ts';
import type { HostControl } from './control-port.ts';
import { InvocationCounters } from './counters.ts';
import type { FunctionCounter } from './counters.ts';
import { createFront } from './front.ts';
import { Generation } from './generation.ts';
import { DEFAULT_KNOBS } from './host-context.ts';
import type { HostContext, HostKnobs } from './host-context.ts';
import { readHostJson } from './host-json.ts';
import { loadHostKeys } from './host-keys.ts';
import { HostLogs } from './logs.ts';
import { readSettings, sameSettings, watchFile } from './settings.ts';
import type { Settings } from './settings.ts';
import type { TimerFaults } from './timer-schedule.ts';
import type { WorkerRow, WorkerSlot } from './worker-slot.ts';

export interface FunctionsHostOptions extends Partial<HostKnobs> {
  /** Folder with host.json; the working directory of the workers. */
  readonly appRoot: string;
  /** Entry file (`.ts` or bundled `.js`), relative to appRoot or absolute; default `package.json#main`, a glob. */
  readonly entry?: string;
  /** Port of the app, 0 for a free one. */
  readonly port: number;
  /** JSON like local.settings.json; watched: a change restarts the workers, as changed app settings do. */
  readonly settingsFile: string;
  readonly logDir: string;
  /** Port of kills and counters; 0 for a free one, undefined for none. */
  readonly adminPort?: number | undefined;
  /** Where the host's keys are kept; default `host-keys.json` beside the settings. */
  readonly keysFile?: string;
  /** False: no function asks for its key, like `func start`. Default true, like Azure. */
  readonly auth?: boolean;
  /** True: timers and HTTP in one process, like `func start`. Default false, like Flex Consumption. */
  readonly singleProcess?: boolean;
  readonly timers?: TimerFaults;
  /** Environment of the workers; it wins over the settings file. Default this process's. */
  readonly env?: NodeJS.ProcessEnv;
}

async function listen(server: Server, port: number): Promise<string> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`;
}

/** Takes no new connection; those that are open may end their requests until `finished` resolves. */
async function close(server: Server | undefined, finished: Promise<void>): Promise<void> {
  if (server?.listening === true) {
    const closed = once(server, 'close');
    server.close();
    await finished;
    server.closeIdleConnections();
    const cut = setTimeout(() => server.closeAllConnections(), 250);
    await closed;
    clearTimeout(cut);
  }
}

function knobsOf(options: FunctionsHostOptions): HostKnobs {
  const given = Object.entries(options).filter(([name, value]) => name in DEFAULT_KNOBS && value !== undefined);
  const knobs = { ...DEFAULT_KNOBS, ...Object.fromEntries(given) };
  if (options.singleProcess === true) return { ...knobs, httpInstances: 1, maxHttpInstances: 1 };
  const httpInstances = Math.max(1, knobs.httpInstances);
  return { ...knobs, httpInstances, maxHttpInstances: Math.max(httpInstances, knobs.maxHttpInstances) };
}

/** A running Functions host: the front end, the workers of all groups, the settings watch and the control port. */
export class FunctionsHost implements HostControl {
  /** Where the app answers, without a slash at the end. */
  url = '';
  adminUrl: string | undefined;
  readonly keysFile: string;
  readonly #options: FunctionsHostOptions;
  readonly #context: HostContext;
  #settings: Settings;
  #generation: Generation;
  #front: Server | undefined;
  #control: Server | undefined;
  #unwatch: () => void = () => undefined;
  #resume: NodeJS.Timeout | undefined;
  #down = false;
  #stopping: Promise<void> | undefined;
  /** Restarts run one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: FunctionsHostOptions) {
    this.#options = options;
    this.#settings = readSettings(options.settingsFile);
    this.keysFile = options.keysFile ?? path.join(path.dirname(options.settingsFile), 'host-keys.json');
    const appRoot = path.resolve(options.appRoot);
    const hostJson = readHostJson(appRoot);
    const knobs = knobsOf(options);
    this.#context = {
      appRoot,
      entry: options.entry === undefined ? undefined : path.resolve(appRoot, options.entry),
      hostJson,
      knobs,
      logs: new HostLogs(options.logDir, hostJson.logLevel),
      counters: new InvocationCounters(),
      timerFaults: options.timers ?? {},
      timerStatus: new Map(),
      listenerLocks: new Map(),
      lockTimes: {
        periodMs: knobs.listenerLockPeriodMs ?? hostJson.lockTimes.periodMs,
        pollMs: knobs.listenerLockPollMs ?? hostJson.lockTimes.pollMs,
      },
      isSingleProcess: options.singleProcess === true,
      environment: () => ({
        AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
        ...this.#settings,
        ...(options.env ?? process.env),
        WEBSITE_HOSTNAME: this.url.replace('http://127.0.0.1', 'localhost'),
        FUNCTIONS_WORKER_RUNTIME: 'node',
      }),
    };
    this.#generation = new Generation(this.#context);
  }

  /** Opens the ports and starts all workers. Rejects with a sentence when the app cannot be loaded, leaving nothing behind. */
  async start(): Promise<void> {
    const { port, adminPort, auth = true, settingsFile } = this.#options;
    try {
      const keys = auth ? loadHostKeys(this.keysFile) : undefined;
      this.#front = createFront({
        context: this.#context,
        keys,
        current: () => (this.#down ? undefined : this.#generation),
      });
      this.url = await listen(this.#front, port);
      if (adminPort !== undefined) {
        this.#control = createControlPort(this);
        this.adminUrl = await listen(this.#control, adminPort);
      }
      const fault = await this.#generation.startHttp();
      if (fault !== undefined) throw new Error(fault);
      await this.#generation.startTimers();
      this.#unwatch = watchFile(settingsFile, () => void this.reloadSettings());
      // What was written while the workers started is not lost.
      void this.reloadSettings();
    } catch (thrown) {
      await this.stop();
      throw thrown;
    }
  }

  /** Reads the settings file; restarts the workers when a value has changed. A broken file changes nothing and is logged. */
  async reloadSettings(): Promise<void> {
    let next: Settings;
    try {
      next = readSettings(this.#options.settingsFile);
    } catch (thrown) {
      this.#context.logs.host('error', 'Settings', thrown instanceof Error ? thrown.message : String(thrown));
      return;
    }
    if (!sameSettings(this.#settings, next)) {
      this.#settings = next;
      this.#context.logs.host('information', 'Settings', 'The app settings have changed: the workers restart.');
      await this.restart();
    }
  }

  /** Starts new workers, moves HTTP over, ends the old ones gracefully. When the app cannot be loaded the old ones stay. */
  restart(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#replaceGeneration());
    return this.#turn;
  }

  kill(target: string, signal: NodeJS.Signals, what: 'instance' | 'worker' = 'instance'): number {
    const living = this.#generation.slots().filter((slot) => matches(slot, target) && slot.row().pid !== undefined);
    for (const slot of living) slot.kill(signal, what);
    return living.length;
  }

  /** Signals the process of a timer function; false when there is none now. */
  killTimer(name: string, signal: NodeJS.Signals = 'SIGKILL'): boolean {
    return this.kill(`timer:${name}`, signal) > 0;
  }

  /** Signals an HTTP instance by its number from 0; false when there is none now. */
  killHttp(index: number, signal: NodeJS.Signals = 'SIGKILL'): boolean {
    return this.kill(`http:${index}`, signal) > 0;
  }

  pause(ms: number): void {
    this.#down = true;
    for (const slot of this.#generation.slots()) slot.hold();
    this.#generation.pool.dropWaiting();
    clearTimeout(this.#resume);
    this.#resume = setTimeout(() => {
      this.#down = false;
      for (const slot of this.#generation.slots()) slot.resume();
    }, ms);
  }

  workers(): WorkerRow[] {
    return this.#generation.slots().map((slot) => slot.row());
  }

  /** Process ids of the living workers by name (`http-0`, `timer-<function>`). */
  pids(): Record<string, number> {
    return Object.fromEntries(this.workers().flatMap(({ name, pid }) => (pid === undefined ? [] : [[name, pid]])));
  }

  invocations(): Record<string, FunctionCounter> {
    return this.#context.counters.snapshot();
  }

  setTimerFaults(faults: TimerFaults): void {
    this.#context.timerFaults = faults;
  }

  /** Drains, runs the appTerminate hooks, ends all processes and closes the ports. May be called twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#shutDown();
    return this.#stopping;
  }

  async #shutDown(): Promise<void> {
    this.#unwatch();
    clearTimeout(this.#resume);
    const finished = this.#stopWorkers();
    await Promise.all([close(this.#front, finished), close(this.#control, finished), finished]);
    await this.#context.logs.close();
  }

  /** A restart under way may make another generation meanwhile, or wait for workers that a pause holds back. */
  async #stopWorkers(): Promise<void> {
    const { drainMs } = this.#context.knobs;
    await this.#generation.stop(drainMs);
    await this.#turn;
    await this.#generation.stop(drainMs);
  }

  async #replaceGeneration(): Promise<void> {
    if (this.#stopping !== undefined) return;
    const { drainMs } = this.#context.knobs;
    const old = this.#generation;
    const next = new Generation(this.#context);
    const fault = await next.startHttp();
    if (fault !== undefined) {
      this.#context.logs.host('error', 'Startup', `The restart failed, the old workers stay: ${fault}`);
      await next.stop(0);
      return;
    }
    this.#generation = next;
    old.pool.handOver(next.pool);
    const draining = old.pool.stop(drainMs);
    await old.stopTimers(drainMs);
    if (this.#down)
      // A pause came meanwhile: the new workers take part in it.
      next.slots().forEach((slot) => slot.hold());
    else await next.startTimers();
    await draining;
  }
}

function matches({ identity }: WorkerSlot, target: string): boolean {
  if (identity.group === 'all') return true;
  switch (target) {
    case 'all':
      return true;
    case 'http':
      return identity.group === 'http';
    case 'timers':
      return identity.group !== 'http';
    default:
      return identity.name === target.replace(':', '-');
  }
}

/**
 * Starts a host for the app and waits until its workers have loaded it. Rejects when the settings, host.json or the app
 * itself cannot be used, with a sentence naming the file.
 */
export async function startFunctionsHost(options: FunctionsHostOptions): Promise<FunctionsHost> {
  const host = new FunctionsHost(options);
  await host.start();
  return host;
}
