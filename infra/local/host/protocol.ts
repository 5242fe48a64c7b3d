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
  value: T;
}

export interface HttpCookie {
  name?: string | undefined;
  value?: string | undefined;
  domain?: NullableValue<string> | undefined;
  path?: NullableValue<string> | undefined;
  expires?: NullableValue<{ seconds: number; nanos?: number }> | undefined;
  secure?: NullableValue<boolean> | undefined;
  httpOnly?: NullableValue<boolean> | undefined;
  sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone' | undefined;
  maxAge?: NullableValue<number> | undefined;
}

export interface HttpData {
  method?: string;
  url?: string;
  nullableHeaders?: Record<string, NullableValue<string>>;
  nullableQuery?: Record<string, NullableValue<string>>;
  nullableParams?: Record<string, NullableValue<string>>;
  statusCode?: string;
  headers?: Record<string, string>;
  cookies?: HttpCookie[];
  enableContentNegotiation?: boolean;
  body?: TypedData | null;
}

export interface RetryContext {
  retryCount: number;
  maxRetryCount: number;
  exception: { message: string; stackTrace: string; source: string };
}

/** One invocation as the host asks for it. `data` is the trigger's input; the worker knows its binding's name. */
export interface InvokeMessage {
  type: 'invoke';
  invocationId: string;
  name: string;
  data: TypedData;
  retryContext?: RetryContext;
}

/** Ends the worker: appTerminate hooks run, then the process exits with 0. */
export interface TerminateMessage {
  type: 'terminate';
}

export type HostMessage = InvokeMessage | TerminateMessage;

export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

/** A function as the worker reports it; `bindings` are JSON texts, as `rawBindings` are on Azure. */
export interface RegisteredFunction {
  name: string;
  rawBindings: string[];
  retryOptions?: string;
  scriptFile: string;
}

export interface ReadyMessage {
  type: 'ready';
  functions: RegisteredFunction[];
}

/** The app could not be loaded; `message` names the file. */
export interface FailedMessage {
  type: 'failed';
  message: string;
}

export interface LogMessage {
  type: 'log';
  level: LogLevel;
  category: 'user' | 'system' | 'customMetric';
  message: string;
  functionName?: string;
  invocationId?: string;
}

export interface InvocationFailure {
  message: string;
  stackTrace: string;
}

export interface ResultMessage {
  type: 'result';
  invocationId: string;
  failure?: InvocationFailure;
  returnValue?: TypedData | null;
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
