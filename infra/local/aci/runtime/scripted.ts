import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { lastLines } from '../logs.ts';
import type {
  ContainerEnd,
  ContainerRuntime,
  ContainerSpec,
  ContainerUsage,
  ImageFault,
  LogOptions,
  PulledImage,
  RegistryCredential,
  RunningContainer,
  Sandbox,
  SandboxSpec,
  StartFault,
  Terminal,
  TerminalSize,
} from './runtime.ts';
import { openScriptedTerminal, terminalsSchema } from './scripted/terminal.ts';
import { bytesOf, failedTerminal } from './terminals.ts';

/** One start of a container, as data. */
const runSchema = z.object({
  /** Absent: runs until stopped. */
  runMs: z.number().optional(),
  exitCode: z.number().optional(),
  oomKilled: z.boolean().optional(),
  /** Lines by their offset from the start. */
  logs: z.array(z.object({ atMs: z.number(), line: z.string() })).optional(),
  /** Only KILL ends it. */
  ignoresTerm: z.boolean().optional(),
  /** Exit code after TERM; 143 when absent. */
  termExitCode: z.number().optional(),
  /** What it uses; 100 millicores and 50 MB when absent. */
  millicores: z.number().optional(),
  memoryBytes: z.number().optional(),
  /** The engine's sentence of a start that fails. */
  startFault: z.string().optional(),
  /** Exit codes of successive executions (probes); the last repeats. */
  execExitCodes: z.array(z.number()).optional(),
  /** What there is to run at a terminal. */
  terminals: terminalsSchema.optional(),
});
export type ScriptedRun = z.infer<typeof runSchema>;

/** A container's behaviour: `runs` in order, the last repeats; an empty list runs for ever. */
const behaviourSchema = z.object({ startMs: z.number().optional(), runs: z.array(runSchema).optional() });

/** Behaviours by image, from JSON; anything else is an error. */
export const scriptsOfImages = (text: string): Readonly<Record<string, z.infer<typeof behaviourSchema>>> =>
  z.record(z.string(), behaviourSchema).parse(JSON.parse(text));

export type ScriptedBehaviour = z.infer<typeof behaviourSchema> & {
  readonly pullMs?: number;
  /** Faults of successive pulls; `undefined` entries and the time after the list succeed. */
  readonly pullFaults?: readonly (Omit<ImageFault, 'kind'> | undefined)[];
  /** Pulls without this login are denied. */
  readonly login?: Omit<RegistryCredential, 'server'>;
  /** Every pull fails. */
  readonly pullFault?: Omit<ImageFault, 'kind'>;
};

export interface ScriptedRuntimeOptions {
  readonly clock: Clock;
  /** By image name as written in the group. */
  readonly images?: Readonly<Record<string, ScriptedBehaviour>>;
  /** When set, sandboxes report addresses `10.88.0.2`, `10.88.0.3` … */
  readonly addresses?: boolean;
}

/**
 * Runs nothing: behaviour is data on a clock. It is looked up in the container's environment variable `SCRIPT` (JSON),
 * then in the command `["script", "<json>"]`, then by image; without any a container runs until it is stopped.
 */
export class ScriptedRuntime implements ContainerRuntime {
  readonly kind = 'scripted';
  readonly #clock: Clock;
  readonly #images: Readonly<Record<string, ScriptedBehaviour>>;
  readonly #addresses: boolean;
  readonly #sandboxes = new Map<
    string,
    { readonly starts: Map<string, number>; readonly processes: Set<ScriptedProcess> }
  >();
  readonly #pulls = new Map<string, number>();
  #created = 0;

  constructor(options: ScriptedRuntimeOptions) {
    this.#clock = options.clock;
    this.#images = options.images ?? {};
    this.#addresses = options.addresses ?? false;
  }

  /** Sandboxes that exist. */
  get sandboxes(): readonly string[] {
    return [...this.#sandboxes.keys()];
  }

  async pullImage(image: string, credentials: readonly RegistryCredential[]): Promise<PulledImage | ImageFault> {
    const behaviour = this.#images[image];
    await this.#wait(behaviour?.pullMs ?? 0);
    const count = this.#pulls.get(image) ?? 0;
    this.#pulls.set(image, count + 1);
    const fault = behaviour?.pullFault ?? behaviour?.pullFaults?.[count];
    if (fault !== undefined) return { kind: 'image-fault', ...fault };
    const { login } = behaviour ?? {};
    if (login !== undefined && !credentials.some((c) => c.username === login.username && c.password === login.password))
      return { kind: 'image-fault', reason: 'denied', message: `pull of ${image} failed: unauthorized` };
    return { kind: 'pulled', digest: `sha256:${hash(image)}` };
  }

  async createSandbox(spec: SandboxSpec): Promise<Sandbox> {
    this.#sandboxes.set(spec.id, { starts: new Map(), processes: new Set() });
    this.#created += 1;
    const ip = `10.88.${Math.floor((this.#created + 1) / 250)}.${((this.#created + 1) % 250) + 1}`;
    return this.#addresses ? { id: spec.id, ip } : { id: spec.id };
  }

  async startContainer(sandboxId: string, spec: ContainerSpec): Promise<RunningContainer | StartFault> {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined) throw new Error(`no sandbox ${sandboxId}`);
    const behaviour = this.#behaviourOf(spec);
    const count = sandbox.starts.get(spec.name) ?? 0;
    sandbox.starts.set(spec.name, count + 1);
    await this.#wait(behaviour.startMs ?? 0);
    const run = behaviour.runs?.[count] ?? behaviour.runs?.at(-1) ?? {};
    if (run.startFault !== undefined) return { kind: 'start-fault', message: run.startFault };
    const process = new ScriptedProcess(this.#clock, run, hash(`${sandboxId}/${spec.name}/${count}`));
    sandbox.processes.add(process);
    return process;
  }

  async deleteSandbox(sandboxId: string): Promise<void> {
    for (const process of this.#sandboxes.get(sandboxId)?.processes ?? []) process.kill();
    this.#sandboxes.delete(sandboxId);
  }

  async close(): Promise<void> {
    for (const id of this.#sandboxes.keys()) await this.deleteSandbox(id);
  }

  #behaviourOf(spec: ContainerSpec): ScriptedBehaviour {
    const script = spec.environment['SCRIPT'] ?? (spec.command?.[0] === 'script' ? spec.command[1] : undefined);
    if (script !== undefined) return behaviourSchema.parse(JSON.parse(script));
    return this.#images[spec.image] ?? {};
  }

  #wait(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve) => this.#clock.schedule(ms, resolve));
  }
}

class ScriptedProcess implements RunningContainer {
  readonly kind = 'running';
  readonly id: string;
  readonly startedAt: number;
  readonly #clock: Clock;
  readonly #run: ScriptedRun;
  readonly #ended: Promise<ContainerEnd>;
  #resolve: (end: ContainerEnd) => void = () => {};
  #end: ContainerEnd | undefined;
  readonly #cancel: () => void = () => {};
  #executions = 0;

  constructor(clock: Clock, run: ScriptedRun, id: string) {
    this.#clock = clock;
    this.#run = run;
    this.id = id;
    this.startedAt = clock.now();
    this.#ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (run.runMs !== undefined) this.#cancel = clock.schedule(run.runMs, () => this.#finish(run.exitCode ?? 0));
  }

  wait(): Promise<ContainerEnd> {
    return this.#ended;
  }

  async stop(graceSeconds: number): Promise<void> {
    if (this.#end !== undefined) return;
    if (graceSeconds <= 0) this.#finish(137);
    else if (this.#run.ignoresTerm === true) this.#clock.schedule(graceSeconds * 1000, () => this.#finish(137));
    else this.#finish(this.#run.termExitCode ?? 143);
    await this.#ended;
  }

  kill(): void {
    this.#finish(137);
  }

  async readLogs(options: LogOptions): Promise<string> {
    const until = this.#end?.finishedAt ?? this.#clock.now();
    const lines = (this.#run.logs ?? []).filter((log) => this.startedAt + log.atMs <= until);
    const text = lines.map((log) => {
      const stamp = new Date(this.startedAt + log.atMs).toISOString().replace('Z', '000000Z');
      return options.timestamps ? `${stamp} ${log.line}\n` : `${log.line}\n`;
    });
    return lastLines(text.join(''), options.tail ?? Number.POSITIVE_INFINITY);
  }

  async execute(): Promise<{ readonly exitCode: number; readonly output: string }> {
    const codes = this.#run.execExitCodes ?? [];
    const exitCode = codes[Math.min(this.#executions, codes.length - 1)] ?? 0;
    this.#executions += 1;
    return { exitCode, output: exitCode === 0 ? '' : 'not well' };
  }

  async usage(): Promise<ContainerUsage | undefined> {
    if (this.#end !== undefined) return undefined;
    const { millicores = 100, memoryBytes = 50_000_000 } = this.#run;
    const cpuNanoSeconds = (this.#clock.now() - this.startedAt) * millicores * 1000;
    return { cpuNanoSeconds, usageBytes: memoryBytes, workingSetBytes: memoryBytes, rssBytes: memoryBytes };
  }

  async openTerminal(command: readonly string[], size: TerminalSize): Promise<Terminal> {
    if (this.#end !== undefined) return failedTerminal('the container has ended');
    const { terminals } = this.#run;
    return openScriptedTerminal({ clock: this.#clock, terminals, command, size, ended: this.#ended });
  }

  async followOutput(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const written = new PassThrough();
    const elapsedMs = this.#clock.now() - this.startedAt;
    const pending = (this.#run.logs ?? [])
      .filter(({ atMs }) => atMs > elapsedMs)
      .map(({ atMs, line }) => this.#clock.schedule(atMs - elapsedMs, () => written.write(`${line}\n`)));
    const over = (): void => {
      for (const cancel of pending) cancel();
      written.end();
    };
    signal.addEventListener('abort', over, { once: true });
    void this.#ended.then(over);
    return bytesOf(written);
  }

  #finish(exitCode: number): void {
    if (this.#end !== undefined) return;
    this.#cancel();
    this.#end = { exitCode, finishedAt: this.#clock.now(), oomKilled: this.#run.oomKilled ?? false };
    this.#resolve(this.#end);
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
