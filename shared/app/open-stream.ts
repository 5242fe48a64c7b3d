import { readAgentTags } from '../core/agent/agent-tags.ts';
import { agentWords } from '../core/agent/places.ts';
import { fail, ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import type { GroupObservation } from '../core/group/group.ts';
import { groupName } from '../core/group/identity.ts';
import type { FarEnd, StreamSession, TerminalSize } from '../core/streams/stream-session.ts';
import type { ContainerGroups } from '../ports/container-groups.ts';
import type { OfferedFarEnd } from '../wire/relay-protocol/far-ends.ts';
import type { StreamKind } from '../wire/relay-protocol/paths.ts';
import type { Deps, NodeDeps, PodRef } from './deps.ts';
import { findOnNode, groupGone } from './find-on-node.ts';
import type { KnownGroup } from './find-on-node.ts';
import { SharedReads } from './shared-reads.ts';

/** ACI starts one word. Every image that can be spoken to at all has this one; the command itself is typed into it. */
const shell = '/bin/sh';

const words: Readonly<Record<Exclude<FarEnd, 'output'>, string>> = {
  shell,
  agent: agentWords.exec,
  ports: agentWords.forward,
};

export interface StreamTarget extends PodRef {
  readonly container: string;
}

export interface StreamWish extends StreamTarget {
  readonly kind: StreamKind;
  /** Of what is started in the container; without it nothing is, and only what the container writes can be had. */
  readonly terminalSize: TerminalSize | undefined;
  /** Those that the relay speaks to, besides the ones that each does. */
  readonly farEnds: readonly OfferedFarEnd[];
}

export interface OpenedStream extends StreamSession {
  readonly farEnd: FarEnd;
}

const noAgent = {
  kind: 'not-found',
  code: 'NoAgent',
  message: 'the container group has no agent that could connect to its ports',
} as const;

/**
 * Opens one session with a container, for the relay, which speaks to it itself: a function can't hold a connection. The pod
 * must be known on this node, as for its logs. Where its group has the agent and the relay speaks to that, it is at the far
 * end; whether its word is in this very container the session shows. Changes nothing of ours. Faults as of `ContainerGroups.exec`;
 * `not-found`, too, where ports are asked for and there is no agent.
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
  const farEnd = await chooseFarEnd(deps, { wish, known: known.value, group: target.group }, signal);
  if (!farEnd.ok) return farEnd;
  const opened =
    farEnd.value === 'output' || terminalSize === undefined
      ? await deps.groups.attach(target, signal)
      : await deps.groups.exec({ ...target, command: words[farEnd.value], terminalSize }, signal);
  return opened.ok ? ok({ ...opened.value, farEnd: farEnd.value }) : opened;
}

interface Choice {
  readonly wish: StreamWish;
  readonly known: KnownGroup;
  readonly group: string;
}

async function chooseFarEnd(deps: Deps, choice: Choice, signal: AbortSignal): Promise<Result<FarEnd>> {
  const { kind, terminalSize, farEnds } = choice.wish;
  const wanted = kind === 'portforward' ? 'ports' : 'agent';
  const has = terminalSize !== undefined && farEnds.includes(wanted) ? await hasAgent(deps, choice, signal) : ok(false);
  if (!has.ok) return has;
  if (has.value) return ok(wanted);
  if (kind === 'portforward') return fail(noAgent);
  return ok(kind === 'exec' ? 'shell' : 'output');
}

/** Many sessions with one pod begin at once: a Job of CI, a client that copies files. */
const tagReads = new WeakMap<ContainerGroups, SharedReads<GroupObservation>>();

async function hasAgent(deps: Deps, { known, group }: Choice, signal: AbortSignal): Promise<Result<boolean>> {
  if (known.agent !== undefined) return ok(true);
  if (known.tags !== undefined) return ok(readAgentTags(known.tags) !== undefined);
  const shared = tagReads.get(deps.groups) ?? new SharedReads();
  tagReads.set(deps.groups, shared);
  const read = await shared.get(group, deps.clock.monotonicMs(), () => deps.groups.get(group, signal));
  return read.ok ? ok(readAgentTags(read.value.tags) !== undefined) : read;
}
