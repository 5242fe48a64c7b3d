import { describeFault } from '../../../../../shared/core/fault.ts';
import type { Pod } from '../../../../../shared/core/kubernetes/pod.ts';
import { answerText } from '../call.ts';
import type { KubeletCall, KubeletContext, KubeletHandler } from '../call.ts';
import { findPod } from '../find-pod.ts';
import { refuseWire, tooMany } from '../serve-command.ts';
import { SessionLife } from '../session-life.ts';
import { parsePortQuery } from '../stream-query.ts';
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

/** `/portForward/{namespace}/{pod}[/{uid}]`: connections to a pod's own address, from the relay. */
export const portForward: KubeletHandler = async (context, call) => {
  const { request, response, upgrade } = call;
  const wire = portWire(request);
  const query = wire.kind === 'web-socket' ? parsePortQuery(request.url ?? '') : { ok: true as const, ports: [] };
  if (!query.ok) return answerText(response, 400, query.message);
  const found = await findAddress(context, call);
  if (found.kind === 'refused') return answerText(response, found.status, found.message);
  if (wire.kind === 'refused' || upgrade === undefined) return refuseWire(call, wire);
  const session = context.sessions.begin();
  if (session === undefined) return answerText(response, 429, tooMany);
  const life = new SessionLife({
    times: streamTimes(context),
    gone: call.signal,
    stop: session.signal,
    lookForEnd: async (signal) => {
      const now = await findPod(context.client, { node: context.node, ...found }, signal);
      const isSame = !now.ok || now.value?.metadata.uid === found.uid;
      return isSame ? undefined : { kind: 'failed', message: 'the pod is gone' };
    },
  });
  try {
    const forward = forwarder(context, found, life);
    const opened = await openPorts(context, { call, upgrade, wire, ports: query.ports, forward });
    if (opened === undefined) return;
    life.signal.addEventListener('abort', () => opened.close(), { once: true });
    if (life.signal.aborted) opened.close();
    await opened.ended;
  } finally {
    life.end();
    session.end();
  }
};

interface Address {
  readonly kind: 'found';
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly address: string;
}

type FoundAddress = Address | { readonly kind: 'refused'; readonly status: number; readonly message: string };

const noAddress =
  'port-forward needs an address of the pod that the relay can reach, and this pod has none: its container group is in no subnet';

async function findAddress({ client, node }: KubeletContext, { params, signal }: KubeletCall): Promise<FoundAddress> {
  const { namespace = '', pod: name = '', uid } = params;
  const found = await findPod(client, { node, namespace, name }, signal);
  if (!found.ok)
    return { kind: 'refused', status: 503, message: `the pod could not be read: ${describeFault(found.fault)}` };
  const pod = found.value;
  if (pod === undefined) return { kind: 'refused', status: 404, message: 'pod does not exist' };
  if (uid !== undefined && pod.metadata.uid !== uid) return { kind: 'refused', status: 404, message: 'pod not found' };
  if (!isRunning(pod))
    return {
      kind: 'refused',
      status: 400,
      message: `pod not found ("${name}_${namespace}"): it is ${pod.status.phase}`,
    };
  const address = pod.status.podIP ?? '';
  if (address === '') return { kind: 'refused', status: 501, message: noAddress };
  return { kind: 'found', namespace, name, uid: pod.metadata.uid, address };
}

const isRunning = ({ status }: Pod): boolean => status.phase === 'Running';

/** As a kubelet says it, but that it dials within the pod and the relay dials its address. */
const forwarder =
  (context: KubeletContext, { address, name, namespace, uid }: Address, life: SessionLife): Forward =>
  async (port, stream) => {
    const { connectMs } = streamTimes(context);
    const fault = await forwardPort({ address, port, connectMs, touch: () => life.touch() }, stream);
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
