import { podEventsPath } from '../../../shared/wire/relay-protocol/paths.ts';
import type { Child } from '../child.ts';
import { describeExit } from '../child.ts';
import { readSettings, sameSettings, watchFile } from '../host/settings.ts';
import type { Settings } from '../host/settings.ts';
import { appFolder } from './bundle.ts';
import { settingsFile } from './host.ts';
import { startRealHost } from './real-host.ts';
import type { RealHost, RealHostOptions, RealHostReady } from './real-host.ts';

/** What an instance is started with; its settings are read from the file at each start. */
export type RealHostWanted = Omit<RealHostOptions, 'settings'> & { readonly settingsFile: string };

const graceMs = 10_000;

/** An instance of the cloud in `dir`; two of different names are two instances. A caller that no cluster knows gets 401 once the app is served. */
export const realHostOf = (dir: string, host: RealHost): Omit<RealHostWanted, 'name' | 'port'> => ({
  host,
  dir,
  appFolder: appFolder(dir),
  settingsFile: settingsFile(dir),
  probe: podEventsPath('-'),
});

/**
 * One instance of the real host for as long as the cloud runs. A change of the settings file restarts it, as changed app
 * settings do on Azure; it keeps its port.
 */
export class RealHostControl {
  readonly url: string;
  /** Pending until the instance ends and nobody wanted it; then a sentence. */
  readonly failed: Promise<string>;
  readonly #wanted: RealHostWanted;
  readonly #fail: (sentence: string) => void;
  readonly #unwatch: () => void;
  #settings: Settings;
  #child: Child<RealHostReady>;
  #isWanted = true;
  /** Restarts run one after the other. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(wanted: RealHostWanted, settings: Settings, child: Child<RealHostReady>) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.url = child.value.url;
    this.failed = promise;
    this.#fail = resolve;
    this.#wanted = wanted;
    this.#settings = settings;
    this.#child = child;
    this.#watch(child);
    this.#unwatch = watchFile(wanted.settingsFile, () => this.#reload());
  }

  /** Starts the instance; resolves when it serves the app. */
  static async launch(wanted: RealHostWanted): Promise<RealHostControl> {
    const settings = readSettings(wanted.settingsFile);
    return new RealHostControl(wanted, settings, await startRealHost({ ...wanted, settings }));
  }

  /** Of the host; its worker is a child of it. */
  get pid(): number {
    return this.#child.pid;
  }

  /** SIGKILLs host and worker, and keeps them down. Safe to repeat. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    await this.#child.stop(0);
  }

  /** Starts the instance again after {@link RealHostControl.kill}; resolves when it serves the app. */
  async start(): Promise<void> {
    this.#settings = readSettings(this.#wanted.settingsFile);
    this.#child = await startRealHost({ ...this.#wanted, settings: this.#settings });
    this.#isWanted = true;
    this.#watch(this.#child);
  }

  /** Ends it in order, for good. */
  async stop(): Promise<void> {
    this.#unwatch();
    this.#isWanted = false;
    await this.#child.stop(graceMs);
  }

  #watch(child: Child<RealHostReady>): void {
    void child.exited.then((exit) => this.#isWanted && this.#child === child && this.#fail(describeExit(child, exit)));
  }

  #reload(): void {
    this.#turn = this.#turn.then(() => this.#restart()).catch((error: unknown) => this.#fail(String(error)));
  }

  async #restart(): Promise<void> {
    if (!this.#isWanted || sameSettings(this.#settings, readSettings(this.#wanted.settingsFile))) return;
    this.#isWanted = false;
    await this.#child.stop(graceMs);
    await this.start();
  }
}
