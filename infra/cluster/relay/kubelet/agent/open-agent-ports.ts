import type { Pod } from '../../../../../shared/core/kubernetes/pod.ts';
import { defaultTerminalSize } from '../../../../../shared/core/streams/stream-session.ts';
import type { KubeletContext } from '../call.ts';
import { newNonce } from '../nonce.ts';
import { openSession } from '../open-session.ts';
import { streamTimes } from '../stream-times.ts';
import { AgentPorts } from './agent-ports.ts';
import { AgentWire, keepAliveSeconds } from './agent-wire.ts';

export type OpenedPorts =
  | { readonly kind: 'open'; readonly ports: AgentPorts }
  /** The group has no agent. */
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly why: string };

interface OpenOptions {
  /** Something was said. */
  readonly touch: () => void;
  readonly signal: AbortSignal;
}

/** A session with the agent in a group: in the first of the running containers that has it. Never rejects. */
export async function openAgentPorts(context: KubeletContext, pod: Pod, options: OpenOptions): Promise<OpenedPorts> {
  for (const { name, state } of pod.status.containerStatuses) {
    if (state.kind !== 'running') continue;
    const opened = await openIn(context, { pod, container: name }, options);
    if (opened !== 'absent') return opened;
  }
  return { kind: 'none' };
}

async function openIn(
  context: KubeletContext,
  { pod, container }: { readonly pod: Pod; readonly container: string },
  { touch, signal }: OpenOptions,
): Promise<OpenedPorts | 'absent'> {
  const { namespace, name, uid } = pod.metadata;
  const target = { node: context.node, namespace, pod: name, uid, container };
  const session = await openSession(context, target, {
    kind: 'portforward',
    terminalSize: defaultTerminalSize,
    farEnds: ['ports'],
    signal,
  });
  if (!session.ok) return session.isUnknown ? { kind: 'none' } : { kind: 'failed', why: session.message };
  const { beginMs, presenceMs } = streamTimes(context);
  const request = { kind: 'ports', nonce: newNonce(), keepAliveSeconds: keepAliveSeconds(presenceMs) } as const;
  const wire = await AgentWire.open({ terminal: session.socket, request, signal, beginMs, presenceMs });
  switch (wire.kind) {
    case 'absent':
      return 'absent';
    case 'failed':
      return { kind: 'failed', why: wire.why };
    case 'begun':
      return { kind: 'open', ports: new AgentPorts(wire.wire, touch) };
  }
}
