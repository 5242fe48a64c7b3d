import { describeFault } from '../../../../shared/core/fault.ts';
import type { Pod } from '../../../../shared/core/kubernetes/pod.ts';
import type { StreamTarget } from '../../../../shared/wire/relay-protocol/paths.ts';
import { sleep } from '../sleep.ts';
import { answerText } from './call.ts';
import type { KubeletCall, KubeletContext } from './call.ts';
import { isOver } from './container-instance.ts';
import { findPod } from './find-pod.ts';
import { speaking } from './running-container.ts';
import { SessionLife } from './session-life.ts';
import type { OpenSession } from './stream-sessions.ts';
import { parseStreamQuery } from './stream-query.ts';
import { streamTimes } from './stream-times.ts';
import { commandOverSpdy } from './streams/command-over-spdy.ts';
import { commandOverWebSocket } from './streams/command-over-web-socket.ts';
import type { CommandStreams, Outcome, StreamOptions } from './streams/command-streams.ts';
import { socketTransport } from './streams/socket-transport.ts';
import { acceptWebSocket, switchProtocols } from './upgrade.ts';
import type { Upgrade } from './upgrade.ts';
import { commandWire, versionHeader } from './wire.ts';
import type { CommandWire, NoWire } from './wire.ts';

/** An exec or attach that may begin. */
export interface Command {
  readonly target: StreamTarget;
  readonly pod: Pod;
  readonly options: StreamOptions;
  /** Of an exec. */
  readonly words: readonly Buffer[];
  readonly streams: CommandStreams;
  /** Aborts when it has to end. */
  readonly signal: AbortSignal;
}

export interface CommandKind {
  readonly kind: 'exec' | 'attach';
  /** Runs it; ends soon after its signal. Never rejects but on a bug. */
  readonly run: (context: KubeletContext, command: Command) => Promise<Outcome>;
  /** How it ends when its container has. */
  readonly whenOver: Outcome;
}

const partingMs = 2_000;

/** Answers an exec or attach: what can't be is refused before the connection is taken over, as a kubelet does. */
export async function serveCommand(context: KubeletContext, call: KubeletCall, kind: CommandKind): Promise<void> {
  const { request, response, upgrade } = call;
  const query = parseStreamQuery(request.url ?? '', kind.kind);
  if (!query.ok) return answerText(response, 400, query.message);
  const found = await findContainer(context, call);
  if (found.kind === 'refused') return answerText(response, found.status, found.message);
  const wire = commandWire(request);
  if (wire.kind === 'refused' || upgrade === undefined) return refuseWire(call, wire);
  const session = context.sessions.begin();
  if (session === undefined) return answerText(response, 429, tooMany);
  try {
    const taken = await openStreams(context, { call, upgrade, wire, options: query.options });
    if (taken === undefined) return;
    const { target, pod, restartCount } = found;
    const command = { target, pod, options: query.options, words: query.command };
    await live(context, { kind, session, streams: taken, restartCount, command });
  } finally {
    session.end();
  }
}

/** There are as many sessions as a relay holds. */
export const tooMany = 'this node has as many exec, attach and port-forward sessions as it can hold; try again later';

/** Refuses by what was agreed on; a wire that was, without a connection to take over, is a bug of the client's as well. */
export function refuseWire({ response }: KubeletCall, wire: NoWire | { readonly kind: string }): void {
  const refused = 'status' in wire ? wire : { status: 400, message: 'unable to upgrade', headers: {} };
  answerText(response, refused.status, refused.message, refused.headers);
}

type Found =
  | { readonly kind: 'running'; readonly target: StreamTarget; readonly pod: Pod; readonly restartCount: number }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string };

async function findContainer({ client, node }: KubeletContext, { params, signal }: KubeletCall): Promise<Found> {
  const { namespace = '', pod: name = '', container = '', uid } = params;
  const found = await findPod(client, { node, namespace, name }, signal);
  if (!found.ok)
    return { kind: 'refused', status: 503, message: `the pod could not be read: ${describeFault(found.fault)}` };
  const pod = found.value;
  if (pod === undefined || (uid !== undefined && pod.metadata.uid !== uid))
    return { kind: 'refused', status: 404, message: 'pod does not exist' };
  const state = speaking(pod, container);
  if (state.kind === 'refused') return state;
  const target = { node, namespace, pod: name, uid: pod.metadata.uid, container };
  return { kind: 'running', target, pod, restartCount: state.restartCount };
}

interface Opening {
  readonly call: KubeletCall;
  readonly upgrade: Upgrade;
  readonly wire: Exclude<CommandWire, NoWire>;
  readonly options: StreamOptions;
}

/** Takes the connection over; undefined: the client did not go on as it had begun. */
async function openStreams(
  context: KubeletContext,
  { call, upgrade, wire, options }: Opening,
): Promise<CommandStreams | undefined> {
  const { response } = call;
  if (wire.kind === 'web-socket') {
    const socket = await acceptWebSocket(upgrade, response, wire.protocol.name);
    return socket === undefined ? undefined : commandOverWebSocket(socket, wire.protocol, options);
  }
  switchProtocols(upgrade, response, { upgrade: 'SPDY/3.1', [versionHeader]: wire.protocol.name });
  const transport = socketTransport(upgrade.socket, upgrade.head);
  const { creationMs } = streamTimes(context);
  return commandOverSpdy(transport, wire.protocol, { options, creationMs });
}

interface Living {
  readonly kind: CommandKind;
  readonly session: OpenSession;
  readonly streams: CommandStreams;
  readonly restartCount: number;
  readonly command: Omit<Command, 'streams' | 'signal'>;
}

async function live(context: KubeletContext, { kind, session, streams, restartCount, command }: Living): Promise<void> {
  const { node, namespace, pod: name, uid, container } = command.target;
  const life = new SessionLife({
    times: streamTimes(context),
    gone: streams.gone,
    stop: session.signal,
    lookForEnd: async (signal) => {
      const found = await findPod(context.client, { node, namespace, name }, signal);
      return found.ok && isOver(found.value, { uid, container, restartCount }) ? kind.whenOver : undefined;
    },
  });
  try {
    const outcome = await kind.run(context, { ...command, streams: life.watch(streams), signal: life.signal });
    const parting = new AbortController();
    await Promise.race([streams.finish(life.reason ?? outcome), sleep(partingMs, parting.signal)]);
    parting.abort();
  } finally {
    life.end();
    if (!streams.gone.aborted) setTimeout(() => streams.destroy(), partingMs).unref();
  }
}
