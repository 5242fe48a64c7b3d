import type { ServerResponse } from 'node:http';
import { describeFault } from '../../../../../shared/core/fault.ts';
import type { Pod } from '../../../../../shared/core/kubernetes/pod.ts';
import { followCursor } from '../../../../../shared/core/logs/log-cursor.ts';
import { parseLogQuery } from '../../../../../shared/core/logs/log-query.ts';
import type { LogOptions } from '../../../../../shared/core/logs/log-query.ts';
import { selectLogs } from '../../../../../shared/core/logs/log-selection.ts';
import { readAppLog } from '../app-log.ts';
import type { AppLog } from '../app-log.ts';
import { answerText } from '../call.ts';
import type { KubeletCall, KubeletContext, KubeletHandler } from '../call.ts';
import { logReadiness } from '../container-instance.ts';
import { findPod } from '../find-pod.ts';
import { reportCutLog } from '../log-cut.ts';
import { followLog } from '../follow-log.ts';
import { readPreviousLog } from '../previous-log.ts';
import { sleep } from '../../sleep.ts';

const maxTail = 1_000_000;
const patienceMs = 5_000;
const retryMs = 500;

/** `GET /containerLogs/{namespace}/{pod}/{container}`: what `kubectl logs` shows. The log itself comes from the app. */
export const containerLogs: KubeletHandler = async (context, call) => {
  const { params, query, response, signal } = call;
  const { namespace = '', pod: name = '' } = params;
  const parsed = parseLogQuery(query);
  if (!parsed.ok) return answerText(response, parsed.status, parsed.message);
  const found = await findPod(context.client, { node: context.node, namespace, name }, signal);
  if (!found.ok) return answerText(response, 503, `the pod could not be read: ${describeFault(found.fault)}`);
  if (found.value === undefined) return answerText(response, 404, `pod "${name}" does not exist`);
  await answerLog(context, call, { pod: found.value, options: parsed.options });
};

async function answerLog(
  context: KubeletContext,
  { params, response, signal }: KubeletCall,
  { pod, options }: { readonly pod: Pod; readonly options: LogOptions },
): Promise<void> {
  const { container = '' } = params;
  const { namespace, name, uid } = pod.metadata;
  const readiness = logReadiness(pod, container, options);
  if (readiness.kind === 'refused') return answerText(response, readiness.status, readiness.message);
  const target = { node: context.node, namespace, pod: name, uid, container };
  if (readiness.kind === 'previous') {
    const before = await readPreviousLog(context, target, signal);
    if (before.kind === 'refused') return answerText(response, before.status, before.message);
    return sendLog(response, before.content, options);
  }
  const isFollowed = options.follow && readiness.isRunning;
  const state = readiness.isRunning ? 'running' : 'ended';
  const log = await readPatiently(context, { ...target, ...tailOf(options, isFollowed), state }, signal);
  if (log.kind === 'refused') return answerText(response, log.status, log.message);
  if (!isFollowed) {
    sendLog(response, log.content, options);
    if (!readiness.isRunning) await reportCutLog(context, { pod, container, content: log.content });
    return;
  }
  const first = selectLogs(log.content, options, Date.now());
  await followLog(context, {
    target,
    restartCount: readiness.restartCount,
    options,
    first,
    cursor: followCursor(log.content),
    response,
    signal,
  });
}

/** What is wanted of a log that is not followed. */
function sendLog(response: ServerResponse, content: string, options: LogOptions): void {
  const text = selectLogs(content, { ...options, follow: false }, Date.now());
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': String(Buffer.byteLength(text)) });
  response.end(text);
}

type LogRequest = Parameters<KubeletContext['app']['getLogs']>[0] & { readonly state: 'running' | 'ended' };

/** A budget that is empty for a moment, or an app that starts, is waited for: nobody wants to type `kubectl logs` again. */
async function readPatiently(
  context: KubeletContext,
  { state, ...request }: LogRequest,
  signal: AbortSignal,
): Promise<AppLog> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const log = readAppLog(await context.app.getLogs(request, signal), request.pod, request.container, state);
    const waitMs = log.kind === 'refused' && log.status === 503 ? Math.max(retryMs, log.retryAfterMs ?? 0) : undefined;
    if (waitMs === undefined || signal.aborted || performance.now() + waitMs > giveUpAt) return log;
    await sleep(waitMs, signal);
  }
}

/** A bare tail need not be fetched whole; `since` and a follower's cursor need all that there is. */
function tailOf({ tailLines }: LogOptions, isFollowed: boolean): { readonly tail?: number } {
  return tailLines === undefined || isFollowed || tailLines === 0 || tailLines > maxTail ? {} : { tail: tailLines };
}
