import { describeFault } from '../../../../../shared/core/fault.ts';
import type { Pod } from '../../../../../shared/core/kubernetes/pod.ts';
import { sleep } from '../../sleep.ts';
import { openAgentPorts } from '../agent/open-agent-ports.ts';
import { answerText } from '../call.ts';
import type { KubeletCall, KubeletContext, KubeletHandler } from '../call.ts';
import { findPod } from '../find-pod.ts';
import { refuseWire, tooMany } from '../serve-command.ts';
import { SessionLife } from '../session-life.ts';
import { parsePortQuery } from '../stream-query.ts';
import type { OpenSession } from '../stream-sessions.ts';
import { streamTimes } from '../stream-times.ts';
import { forwardPort } from '../streams/port-connection.ts';
import { portsOverSpdy } from '../streams/ports-over-spdy.ts';
import type { Forward, PortSession } from '../streams/ports-over-spdy.ts';
import { portsOverWebSocket } from '../streams/ports-over-web-socket.ts';
import { socketTransport } from '../streams/socket-transport.ts';
import { webSocketTransport } from '../streams/web-socket.ts';
import { tunnelProtocol } from '../streams/web-socket-protocols.ts';
import type { ChannelProtocol } from '../streams/web-socket-protocols.ts';
import { acceptWebSocket, switchProtocols } from '../upgrade.ts';
import type { Upgrade } from '../upgrade.ts';
import { portVersion, portWire, versionHeader } from '../wire.ts';

/** Why a connection failed arrives before all of them end. */
const partingMs = 500;

/**
 * `/portForward/{namespace}/{pod}[/{uid}]`: connections to a pod's own address, from the relay; to a pod without one by the agent
 * in its group, all of them over one session.
 */
export const portForward: KubeletHandler = async (context, call) => {
  const { request, response, upgrade } = call;
  const wire = portWire(request);
  const query = wire.kind === 'web-socket' ? parsePortQuery(request.url ?? '') : { ok: true as const, ports: [] };
  if (!query.ok) return answerText(response, 400, query.message);
  const found = await findTarget(context, call);
  if (found.kind === 'refused') return answerText(response, found.status, found.message);
  if (wire.kind === 'refused' || upgrade === undefined) return refuseWire(call, wire);
  const session = context.sessions.begin();
  if (session === undefined) return answerText(response, 429, tooMany);
  const life = lifeOf(context, call, { session, uid: found.pod.metadata.uid });
  try {
    const dialler = await chooseDialler(context, found.pod, life);
    if (dialler.kind === 'refused') return answerText(response, dialler.status, dialler.message);
    const forward = forwarder(found.pod, dialler.dial);
    const opened = await openPorts(context, { call, upgrade, wire, ports: query.ports, forward });
    if (opened === undefined) return;
    life.signal.addEventListener('abort', () => opened.close(), { once: true });
    if (life.signal.aborted) opened.close();
    void dialler.ended?.then(() => sleep(partingMs, life.signal)).then(() => opened.close());
    await opened.ended;
  } finally {
    life.end();
    session.end();
  }
};

interface Refused {
  readonly kind: 'refused';
  readonly status: number;
  readonly message: string;
}

const refused = (status: number, message: string): Refused => ({ kind: 'refused', status, message });

async function findTarget(
  { client, node }: KubeletContext,
  { params, signal }: KubeletCall,
): Promise<Refused | { readonly kind: 'found'; readonly pod: Pod }> {
  const { namespace = '', pod: name = '', uid } = params;
  const found = await findPod(client, { node, namespace, name }, signal);
  if (!found.ok) return refused(503, `the pod could not be read: ${describeFault(found.fault)}`);
  const pod = found.value;
  if (pod === undefined) return refused(404, 'pod does not exist');
  if (uid !== undefined && pod.metadata.uid !== uid) return refused(404, 'pod not found');
  const { phase } = pod.status;
  if (phase !== 'Running') return refused(400, `pod not found ("${name}_${namespace}"): it is ${phase}`);
  return { kind: 'found', pod };
}

function lifeOf(
  context: KubeletContext,
  { params, signal }: KubeletCall,
  { session, uid }: { readonly session: OpenSession; readonly uid: string },
): SessionLife {
  const { namespace = '', pod: name = '' } = params;
  return new SessionLife({
    times: streamTimes(context),
    gone: signal,
    stop: session.signal,
    lookForEnd: async (over) => {
      const now = await findPod(context.client, { node: context.node, namespace, name }, over);
      const isSame = !now.ok || now.value?.metadata.uid === uid;
      return isSame ? undefined : { kind: 'failed', message: 'the pod is gone' };
    },
  });
}

interface Dialler {
  readonly kind: 'dialler';
  readonly dial: Forward;
  /** When it can dial no more; absent: it always can. */
  readonly ended?: Promise<void>;
}

const noAddress =
  'port-forward needs an address of the pod that the relay can reach, or the agent, and this pod has neither: its container group is in no subnet';

/** A pod's own address is the shorter way. */
async function chooseDialler(context: KubeletContext, pod: Pod, life: SessionLife): Promise<Dialler | Refused> {
  const touch = (): void => life.touch();
  const { podIP: address = '' } = pod.status;
  const { connectMs } = streamTimes(context);
  if (address !== '')
    return { kind: 'dialler', dial: (port, stream) => forwardPort({ address, port, connectMs, touch }, stream) };
  const opened = await openAgentPorts(context, pod, { touch, signal: life.signal });
  switch (opened.kind) {
    case 'none':
      return refused(501, noAddress);
    case 'failed':
      return refused(503, `port-forward goes by the agent of the pod: ${opened.why}`);
    case 'open':
      return {
        kind: 'dialler',
        dial: (port, stream) => opened.ports.forward(port, stream),
        ended: opened.ports.run(),
      };
  }
}

/** As a kubelet says it, but that it dials within the pod and the relay dials its address, where it has one. */
const forwarder =
  ({ metadata: { name, namespace, uid } }: Pod, dial: Forward): Forward =>
  async (port, stream) => {
    const fault = await dial(port, stream);
    return fault === undefined
      ? undefined
      : `error forwarding port ${port} to pod ${name}_${namespace}, uid ${uid}: ${fault}`;
  };

interface OpeningPorts {
  readonly call: KubeletCall;
  readonly upgrade: Upgrade;
  readonly wire:
    | { readonly kind: 'web-socket'; readonly protocol: ChannelProtocol }
    | { readonly kind: 'tunnel' }
    | { readonly kind: 'spdy' };
  readonly ports: readonly number[];
  readonly forward: Forward;
}

/** Takes the connection over; undefined: the client's handshake was none. */
async function openPorts(
  context: KubeletContext,
  { call, upgrade, wire, ports, forward }: OpeningPorts,
): Promise<PortSession | undefined> {
  const { creationMs } = streamTimes(context);
  if (wire.kind === 'spdy') {
    switchProtocols(upgrade, call.response, { upgrade: 'SPDY/3.1', [versionHeader]: portVersion });
    return portsOverSpdy(socketTransport(upgrade.socket, upgrade.head), forward, creationMs);
  }
  const name = wire.kind === 'tunnel' ? tunnelProtocol : wire.protocol.name;
  const socket = await acceptWebSocket(upgrade, call.response, name);
  if (socket === undefined) return undefined;
  return wire.kind === 'tunnel'
    ? portsOverSpdy(webSocketTransport(socket), forward, creationMs)
    : portsOverWebSocket(socket, { protocol: wire.protocol, ports }, forward);
}
