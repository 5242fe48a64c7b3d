import { fail, ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import { groupName } from '../core/group/identity.ts';
import type { FarEnd, StreamSession, TerminalSize } from '../core/streams/stream-session.ts';
import type { Deps, NodeDeps, PodRef } from './deps.ts';
import { findOnNode, groupGone } from './find-on-node.ts';

/** ACI starts one word. Every image that can be spoken to at all has this one; the command itself is typed into it. */
const shell = '/bin/sh';

export interface StreamTarget extends PodRef {
  readonly container: string;
}

/** With a terminal: a new process in the container. Without: what the container writes. */
export interface StreamWish extends StreamTarget {
  readonly terminalSize?: TerminalSize;
}

export interface OpenedStream extends StreamSession {
  readonly farEnd: FarEnd;
}

/**
 * Opens one session with a container, for the relay, which speaks to it itself: a function can't hold a connection. The pod
 * must be known on this node, as for its logs. Changes nothing of ours. Faults as of `ContainerGroups.exec`.
 */
export async function openStream(
  deps: Deps,
  node: NodeDeps,
  wish: StreamWish,
  signal: AbortSignal,
): Promise<Result<OpenedStream>> {
  const known = await findOnNode(deps, node, wish, signal);
  if (!known.ok) return known;
  if (known.value.intent.kind === 'deleted') return fail(groupGone);
  const { container, terminalSize } = wish;
  const target = { group: groupName({ installation: node.facts.installation, ...wish }), container };
  const opened =
    terminalSize === undefined
      ? await deps.groups.attach(target, signal)
      : await deps.groups.exec({ ...target, command: shell, terminalSize }, signal);
  return opened.ok ? ok({ ...opened.value, farEnd: terminalSize === undefined ? 'output' : 'shell' }) : opened;
}
