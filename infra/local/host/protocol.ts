/**
 * The words between the host and one worker process: what gRPC carries on Azure, carried here over node's IPC channel
 * with structured cloning, so that bodies stay bytes.
 */

/** Typed data as the library reads and writes it; only the members that HTTP and timers use. */
export type TypedData =
  | { http: HttpData }
  | { json: string }
  | { string: string }
  | { bytes: Uint8Array }
  | { int: number }
  | { double: number };

export interface NullableValue<T> {
  readonly value: T;
}

export interface HttpCookie {
  readonly name?: string | undefined;
  readonly value?: string | undefined;
  readonly domain?: NullableValue<string> | undefined;
  readonly path?: NullableValue<string> | undefined;
  readonly expires?: NullableValue<{ seconds: number; nanos?: number }> | undefined;
  readonly secure?: NullableValue<boolean> | undefined;
  readonly httpOnly?: NullableValue<boolean> | undefined;
  readonly sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone' | undefined;
  readonly maxAge?: NullableValue<number> | undefined;
}

export interface HttpData {
  readonly method?: string;
  readonly url?: string;
  readonly nullableHeaders?: Record<string, NullableValue<string>>;
  readonly nullableQuery?: Record<string, NullableValue<string>>;
  readonly nullableParams?: Record<string, NullableValue<string>>;
  readonly statusCode?: string;
  readonly headers?: Record<string, string>;
  readonly cookies?: HttpCookie[];
  readonly enableContentNegotiation?: boolean;
  body?: TypedData | null;
}

export interface RetryContext {
  readonly retryCount: number;
  readonly maxRetryCount: number;
  readonly exception: { message: string; stackTrace: string; source: string };
}

/** One invocation as the host asks for it. `data` is the trigger's input; the worker knows its binding's name. */
export interface InvokeMessage {
  readonly type: 'invoke';
  readonly invocationId: string;
  readonly name: string;
  readonly data: TypedData;
  readonly retryContext?: RetryContext;
}

/** Ends the worker: appTerminate hooks run, then the process exits with 0. */
export interface TerminateMessage {
  readonly type: 'terminate';
}

export type HostMessage = InvokeMessage | TerminateMessage;

export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

/** A function as the worker reports it; `bindings` are JSON texts, as `rawBindings` are on Azure. */
export interface RegisteredFunction {
  readonly name: string;
  readonly rawBindings: string[];
  readonly retryOptions?: string;
  readonly scriptFile: string;
}

export interface ReadyMessage {
  readonly type: 'ready';
  readonly functions: RegisteredFunction[];
}

/** The app could not be loaded; `message` names the file. */
export interface FailedMessage {
  readonly type: 'failed';
  readonly message: string;
}

export interface LogMessage {
  readonly type: 'log';
  readonly level: LogLevel;
  readonly category: 'user' | 'system' | 'customMetric';
  readonly message: string;
  readonly functionName?: string;
  readonly invocationId?: string;
}

export interface InvocationFailure {
  readonly message: string;
  readonly stackTrace: string;
}

export interface ResultMessage {
  readonly type: 'result';
  readonly invocationId: string;
  readonly failure?: InvocationFailure;
  readonly returnValue?: TypedData | null;
}

export type WorkerMessage = ReadyMessage | FailedMessage | LogMessage | ResultMessage;

const WORKER_MESSAGES = new Set(['ready', 'failed', 'log', 'result']);
const HOST_MESSAGES = new Set(['invoke', 'terminate']);

function typeOf(message: unknown): string {
  return typeof message === 'object' && message !== null && 'type' in message ? String(message.type) : '';
}

/** Whether a message of the channel is the worker's; the app may use `process.send` for itself. */
export function isWorkerMessage(message: unknown): message is WorkerMessage {
  return WORKER_MESSAGES.has(typeOf(message));
}

/** Whether a message of the channel is the host's. */
export function isHostMessage(message: unknown): message is HostMessage {
  return HOST_MESSAGES.has(typeOf(message));
}
