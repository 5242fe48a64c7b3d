import { frameTags } from '../../../../../shared/core/streams/agent-frames.ts';
import { parseAgentFault } from '../../../../../shared/wire/agent-session.ts';
import { AgentWire, describeEnd, keepAliveSeconds } from './agent-wire.ts';
import type { WireOptions } from './agent-wire.ts';

export type LogBefore =
  /** Each line behind its instant, as ACI has them. */
  | { readonly kind: 'content'; readonly content: string }
  | { readonly kind: 'failed'; readonly why: string }
  /** There is no agent at the far end. */
  | { readonly kind: 'absent' };

/** Twice what the agent keeps (infra/agent, statedir). */
const mostBytes = 1024 * 1024;

/** What the agent of a container has kept of the run before the present one. Ends with its signal, too. Never rejects. */
export async function readLogBefore(
  options: Omit<WireOptions, 'request'> & { readonly nonce: string },
): Promise<LogBefore> {
  const { nonce, presenceMs } = options;
  const request = { kind: 'log-before', nonce, keepAliveSeconds: keepAliveSeconds(presenceMs) } as const;
  const opened = await AgentWire.open({ ...options, request });
  if (opened.kind !== 'begun') return opened;
  const { wire } = opened;
  try {
    return await collect(wire);
  } finally {
    wire.close();
  }
}

async function collect(wire: AgentWire): Promise<LogBefore> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let frame = await wire.next(); frame !== undefined; frame = await wire.next()) {
    switch (frame.tag) {
      case frameTags.output:
        pieces.push(frame.payload);
        size += frame.payload.length;
        break;
      case frameTags.exit:
        return { kind: 'content', content: Buffer.concat(pieces).toString('utf8') };
      case frameTags.fault:
        return { kind: 'failed', why: parseAgentFault(frame.payload)?.message ?? describeEnd('broken') };
      default:
        size = Infinity;
    }
    if (size > mostBytes) wire.break();
  }
  return { kind: 'failed', why: describeEnd(wire.end) };
}
