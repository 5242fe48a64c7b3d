import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { HostContext } from './host-context.ts';
import { bodyBytes } from './instance-memory.ts';
import type {
  HostMessage,
  InvocationFailure,
  InvokeMessage,
  LogMessage,
  RegisteredFunction,
  TypedData,
} from './protocol.ts';
import { isWorkerMessage } from './protocol.ts';
import type { WorkerMessage } from './protocol.ts';

const WORKER_FILE = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** From the request to terminate to the kill, for the appTerminate hooks. */
const TERMINATE_GRACE_MS = 5000;

export type LoadOutcome = { kind: 'ready'; functions: RegisteredFunction[] } | { kind: 'failed'; message: string };

/** `lost`: the process died while it worked. */
export type InvocationOutcome =
  | { kind: 'succeeded'; returnValue: TypedData | null | undefined }
  | { kind: 'failed'; failure: InvocationFailure }
  | { kind: 'lost' };

export interface WorkerIdentity {
  /** `http-0`, `timer-node-heartbeat`: names the log file. */
  readonly name: string;
  /** `http` or `function:<name>`, as FUNCTIONS_TARGET_GROUP; `all` where there is one process for everything. */
  readonly group: string;
}

/** One operating-system process that has the app loaded. It is used until it dies and never revived. */
export class WorkerProcess {
  readonly startedAt = new Date().toISOString();
  readonly loaded: Promise<LoadOutcome>;
  /** Resolves when the process is gone, with a sentence on how. */
  readonly exited: Promise<string>;
  invocations = 0;
  /** No new work is given to a draining or dead process. */
  state: 'starting' | 'ready' | 'draining' | 'exited' = 'starting';
  lastUsedMs = Date.now();
  readonly #context: HostContext;
  readonly #identity: WorkerIdentity;
  readonly #child: ChildProcess;
  readonly #inFlight = new Map<string, (outcome: InvocationOutcome) => void>();
  readonly #bodies = new Map<string, number>();
  #isInstanceLost = false;
  #stopping: Promise<void> | undefined;
  readonly #idleWaiters: (() => void)[] = [];

  constructor(context: HostContext, identity: WorkerIdentity) {
    this.#context = context;
    this.#identity = identity;
    this.#child = fork(WORKER_FILE, context.entry === undefined ? [] : [context.entry], {
      env: {
        ...context.environment(),
        AzureWebJobsScriptRoot: context.appRoot,
        ...(identity.group === 'all' ? {} : { FUNCTIONS_TARGET_GROUP: identity.group }),
        WEBSITE_INSTANCE_ID: randomBytes(32).toString('hex'),
      },
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#pipe(this.#child.stdout, 'information');
    this.#pipe(this.#child.stderr, 'warning');
    this.exited = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      this.#child.once('exit', (code, signal) =>
        resolve(signal === null ? `exited with code ${code}` : `was ended by ${signal}`),
      );
    });
    this.loaded = this.#awaitLoad();
    void this.#awaitExit();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Of the requests that it has in hand. */
  get bodyBytes(): number {
    return [...this.#bodies.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Sends an invocation and waits for its outcome; never rejects. */
  invoke(message: InvokeMessage): Promise<InvocationOutcome> {
    if (this.state !== 'ready') return Promise.resolve({ kind: 'lost' });
    this.invocations += 1;
    this.lastUsedMs = Date.now();
    return new Promise((resolve) => {
      this.#inFlight.set(message.invocationId, resolve);
      this.#bodies.set(message.invocationId, bodyBytes(message.data));
      this.#send(message);
    });
  }

  /** Whether the whole instance went with it: its locks run out. A worker that dies alone is replaced by its instance. */
  get isInstanceLost(): boolean {
    return this.#isInstanceLost;
  }

  /** The end of the whole instance, without a warning. */
  crash(signal: NodeJS.Signals): void {
    this.#isInstanceLost ||= signal === 'SIGKILL' || signal === 'SIGTERM';
    this.kill(signal);
  }

  /** Sends a signal to the process; a dead one takes it without a word. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends gracefully: in-flight work has `drainMs`, then the appTerminate hooks run, then it is killed. Resolves when gone. */
  stop(drainMs: number): Promise<void> {
    this.#stopping ??= this.#drain(drainMs);
    return this.#stopping;
  }

  async #drain(drainMs: number): Promise<void> {
    if (this.state === 'exited') return;
    const wasReady = this.state === 'ready';
    this.state = 'draining';
    if (wasReady && this.#inFlight.size > 0)
      await Promise.race([new Promise<void>((resolve) => this.#idleWaiters.push(resolve)), delay(drainMs)]);
    this.#send({ type: 'terminate' });
    const timer = setTimeout(() => this.kill('SIGKILL'), wasReady ? TERMINATE_GRACE_MS : 0);
    await this.exited;
    clearTimeout(timer);
  }

  async #awaitLoad(): Promise<LoadOutcome> {
    const exited = this.exited.then((how): LoadOutcome => ({
      kind: 'failed',
      message: `Worker ${this.#identity.name} ${how}`,
    }));
    const answered = new Promise<LoadOutcome>((resolve) => {
      this.#child.on('message', (message: unknown) => {
        if (isWorkerMessage(message)) this.#receive(message, resolve);
      });
    });
    return Promise.race([answered, exited]);
  }

  #receive(message: WorkerMessage, loaded: (outcome: LoadOutcome) => void): void {
    switch (message.type) {
      case 'ready':
        this.state = this.state === 'starting' ? 'ready' : this.state;
        loaded({ kind: 'ready', functions: message.functions });
        return;
      case 'failed':
        loaded({ kind: 'failed', message: message.message });
        return;
      case 'log':
        this.#log(message);
        return;
      case 'result':
        this.#settle(
          message.invocationId,
          message.failure === undefined
            ? { kind: 'succeeded', returnValue: message.returnValue }
            : { kind: 'failed', failure: message.failure },
        );
    }
  }

  #settle(invocationId: string, outcome: InvocationOutcome): void {
    this.#inFlight.get(invocationId)?.(outcome);
    this.#inFlight.delete(invocationId);
    this.#bodies.delete(invocationId);
    this.lastUsedMs = Date.now();
    if (this.#inFlight.size === 0) for (const wake of this.#idleWaiters.splice(0)) wake();
  }

  async #awaitExit(): Promise<void> {
    const how = await this.exited;
    this.state = 'exited';
    for (const invocationId of this.#inFlight.keys()) this.#settle(invocationId, { kind: 'lost' });
    this.#context.logs.host('information', 'Worker', `Worker ${this.#identity.name} (pid ${this.pid}) ${how}`);
  }

  #send(message: HostMessage): void {
    // A closed channel needs no word here: the process' exit settles what it had in flight.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #log(message: LogMessage): void {
    const { functionName, invocationId, level, category } = message;
    const prefix = functionName === undefined ? 'Worker' : `Function.${functionName}`;
    this.#context.logs.write({
      level,
      category: category === 'user' && functionName !== undefined ? `${prefix}.User` : prefix,
      message: message.message,
      worker: this.#identity.name,
      pid: this.pid,
      invocationId,
    });
  }

  #pipe(stream: Readable | null, level: 'information' | 'warning'): void {
    if (stream !== null)
      createInterface({ input: stream }).on('line', (message) => {
        this.#context.logs.write({
          level,
          category: 'Host.Function.Console',
          message,
          worker: this.#identity.name,
          pid: this.pid,
        });
      });
  }
}

/** Waits without keeping the process alive. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
