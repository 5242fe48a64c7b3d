import type { InvocationFailure, RetryContext, TypedData } from './protocol.ts';

/** The shapes of `@azure/functions-core` that the library's version 4 and its relatives use. */
export type FunctionCallback = (...args: unknown[]) => unknown;

export interface BindingInfo {
  readonly type: string;
  readonly name?: string;
  readonly direction?: string;
  [option: string]: unknown;
}

export interface FunctionMetadata {
  readonly name: string;
  readonly functionId?: string;
  readonly bindings: Record<string, BindingInfo>;
  readonly retryOptions?: unknown;
}

export interface CoreInvocationContext {
  readonly invocationId: string;
  readonly request: InvocationRequest;
  readonly metadata: FunctionMetadata;
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  log(level: string, category: string, message: string): void;
}

export interface InvocationRequest {
  readonly invocationId: string;
  readonly functionId: string;
  readonly inputData: { name: string; data: TypedData }[];
  readonly triggerMetadata: Record<string, TypedData>;
  readonly traceContext: { traceParent: string; traceState: string; attributes: Record<string, string> };
  readonly retryContext?: RetryContext;
}

export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<{ returnValue?: TypedData | null }>;
}

export interface ProgrammingModel {
  readonly name: string;
  readonly version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel | Promise<InvocationModel>;
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
}

/** Turns what was thrown, which may be anything, into what the host records. */
export function failureOf(thrown: unknown): InvocationFailure {
  if (thrown instanceof Error) return { message: thrown.message, stackTrace: thrown.stack ?? '' };
  return { message: String(thrown), stackTrace: '' };
}
