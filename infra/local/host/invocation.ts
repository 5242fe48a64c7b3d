import { randomBytes } from 'node:crypto';
import type { FunctionEntry, LogContext, WorkerApp } from './core-api.ts';
import { failureOf } from './core-model.ts';
import type { BindingInfo, CoreInvocationContext, FunctionCallback, InvocationModel } from './core-model.ts';
import { readOnly } from './hooks.ts';
import type { InvokeMessage, ResultMessage, TypedData } from './protocol.ts';
import { defined } from '../../../shared/core/defined.ts';

/** The binding that triggers a function: the one whose type ends in `Trigger`. */
export function triggerOf(bindings: Record<string, BindingInfo>): { name: string; binding: BindingInfo } | undefined {
  const found = Object.entries(bindings).find(([, binding]) => /trigger$/i.test(binding.type));
  return found === undefined ? undefined : { name: found[0], binding: found[1] };
}

/** Hooks may put another callback or other inputs in place; a bad replacement fails the invocation here. */
function replacedCall(context: object): { callback: FunctionCallback; inputs: unknown[] } {
  const callback: unknown = 'functionCallback' in context ? context.functionCallback : undefined;
  const inputs: unknown = 'inputs' in context ? context.inputs : undefined;
  if (typeof callback !== 'function' || !Array.isArray(inputs))
    throw new TypeError(
      'A preInvocation hook replaced the handler by something that is not a function, or the inputs by no array.',
    );
  return { callback: (...args) => callback(...args), inputs };
}

interface Running {
  readonly app: WorkerApp;
  readonly core: CoreInvocationContext;
  readonly model: InvocationModel;
  readonly callback: FunctionCallback;
  readonly logContext: LogContext;
}

/** Sets the state while `work` runs; the library reads it to report late log calls apart. */
async function inState<T>(
  core: CoreInvocationContext,
  state: CoreInvocationContext['state'],
  work: () => Promise<T>,
): Promise<T> {
  core.state = state;
  try {
    return await work();
  } finally {
    core.state = undefined;
  }
}

/** getArguments, pre hooks, handler, post hooks (also after an error), response: the order of @azure/functions, which is the worker's. */
async function runInvocation(running: Running): Promise<TypedData | null | undefined> {
  const { app, core, model } = running;
  const { context, inputs } = await model.getArguments();
  const hookData: Record<string, unknown> = {};
  running.logContext.invocationContext = context;
  running.logContext.hookData = hookData;
  const shared = { hookData, appHookData: app.hooks.appHookData, invocationContext: context };
  const before = readOnly({ functionCallback: running.callback, inputs }, shared);
  await inState(core, 'preInvocationHooks', () => app.hooks.run('preInvocation', before));
  const call = replacedCall(before);
  const outcome: { result: unknown; error: unknown } = { result: null, error: null };
  await inState(core, 'invocation', async () => {
    try {
      outcome.result = await model.invokeFunction(context, call.inputs, call.callback);
    } catch (thrown) {
      outcome.error = thrown;
    }
  });
  const after = Object.assign(outcome, { inputs: call.inputs });
  await inState(core, 'postInvocationHooks', () => app.hooks.run('postInvocation', readOnly(after, shared)));
  if (after.error !== null && after.error !== undefined) throw after.error;
  return (await model.getResponse(context, after.result)).returnValue;
}

function coreContext(
  app: WorkerApp,
  entry: FunctionEntry,
  message: InvokeMessage,
  logContext: LogContext,
): CoreInvocationContext {
  const trigger = triggerOf(entry.metadata.bindings);
  return {
    invocationId: message.invocationId,
    metadata: entry.metadata,
    state: undefined,
    request: {
      invocationId: message.invocationId,
      functionId: entry.metadata.functionId ?? entry.metadata.name,
      inputData: trigger === undefined ? [] : [{ name: trigger.name, data: message.data }],
      triggerMetadata: {},
      traceContext: {
        traceParent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`,
        traceState: '',
        attributes: {},
      },
      ...defined({ retryContext: message.retryContext }),
    },
    log: (level, category, text) => app.log(level, category, text, logContext),
  };
}

/** Serves one invocation. Never throws: what the handler, a hook or the conversion throws is the result's `failure`. */
export async function invoke(app: WorkerApp, message: InvokeMessage): Promise<ResultMessage> {
  const { invocationId, name } = message;
  try {
    const entry = [...app.functions.values()].find((candidate) => candidate.metadata.name === name);
    if (entry === undefined || app.model === undefined)
      throw new Error(`Function "${name}" is not loaded in this worker.`);
    const logContext: LogContext = { functionName: name, invocationId };
    const core = coreContext(app, entry, message, logContext);
    const model = await app.model.getInvocationModel(core);
    const returnValue = await runInvocation({ app, core, model, callback: entry.callback, logContext });
    return { type: 'result', invocationId, ...defined({ returnValue }) };
  } catch (thrown) {
    return { type: 'result', invocationId, failure: failureOf(thrown) };
  }
}
