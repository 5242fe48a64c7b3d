import { describeFault } from '../../../../../shared/core/fault.ts';
import type { StreamTarget } from '../../../../../shared/wire/relay-protocol/paths.ts';
import { parseDialAnswer } from '../../../../../shared/wire/relay-protocol/session-dial.ts';
import type { BothDials, DialAnswer } from '../../../../../shared/wire/relay-protocol/session-dial.ts';
import type { AppAnswer } from '../../app/app-client.ts';
import { problemOf } from '../app-log.ts';
import { answerText } from '../call.ts';
import type { KubeletContext, KubeletHandler } from '../call.ts';
import { findPod } from '../find-pod.ts';
import { openSession } from '../open-session.ts';
import { speaking } from '../running-container.ts';

/**
 * `GET /sessionDial/{namespace}/{pod}/{container}`, which no kubelet has: whether ACI's sessions are reached from here, where exec
 * and attach need it, and from where the app runs, which speaks to agents by them. For `doctor`, by the API server's proxy. Nothing
 * is started in the container.
 */
export const sessionDial: KubeletHandler = async (context, { params, response, signal }) => {
  const { namespace = '', pod: name = '', container = '' } = params;
  const found = await findPod(context.client, { node: context.node, namespace, name }, signal);
  if (!found.ok) return answerText(response, 503, `the pod could not be read: ${describeFault(found.fault)}`);
  if (found.value === undefined) return answerText(response, 404, `pod "${name}" does not exist`);
  const state = speaking(found.value, container);
  if (state.kind === 'refused') return answerText(response, state.status, state.message);
  const target = { node: context.node, namespace, pod: name, uid: found.value.metadata.uid, container };
  const relay = await dialFromHere(context, target, signal);
  const app = readDial(await context.app.dialSession(target, signal));
  const body: BothDials = { app, relay };
  answerText(response, 200, JSON.stringify(body), { 'content-type': 'application/json' });
};

async function dialFromHere(context: KubeletContext, target: StreamTarget, signal: AbortSignal): Promise<DialAnswer> {
  const wish = { kind: 'attach', terminalSize: undefined, farEnds: [], signal } as const;
  const opened = await openSession(context, target, wish);
  if (!opened.ok) return { reached: false, message: opened.message };
  opened.socket.close();
  return { reached: true };
}

function readDial(answer: AppAnswer): DialAnswer {
  if (answer.kind === 'unreachable')
    return { reached: false, message: `the function app could not be reached: ${answer.message}` };
  const dialled = answer.status === 200 ? parseDialAnswer(answer.body) : undefined;
  if (dialled !== undefined) return dialled;
  const { code, message } = problemOf(answer.body);
  return { reached: false, message: `the function app answered ${answer.status}: ${code} ${message}`.trim() };
}
