import { describeFault } from '../core/fault.ts';
import type { Fault, Result } from '../core/fault.ts';
import { nodeKeyText } from '../core/node/node-key.ts';
import { askedMark, isHeldBack, isRefusal, nextRefusal } from '../core/node/node-refusal.ts';
import type { NodePart, NodeRefusal } from '../core/node/node-refusal.ts';
import type { NodeRow } from '../core/reconcile/node-row.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { updateNode } from './update-node.ts';

/** One request that changes a Node, and may be refused. */
export interface NodeRequest<T> {
  readonly part: NodePart;
  /** Ends the sentence "The API server refuses to …". */
  readonly what: string;
  readonly reason: 'FailedToCreateNode' | 'FailedToUpdateNode';
  /** What is asked, as JSON: another one is not held back by a refusal of this one. */
  readonly content: unknown;
  readonly send: (signal: AbortSignal) => Promise<Result<T>>;
}

export type NodeAnswer<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** Now, or a short while ago. A person has been notified. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly fault: Fault };

/**
 * Sends `request`, unless the API server refused the same a short while ago. A refusal is reported by a Warning event on the
 * Node, and by a line in the log once for each cause; the same is asked again after a growing while.
 */
export async function askNode<T>(
  deps: Deps,
  node: NodeDeps,
  request: NodeRequest<T>,
  signal: AbortSignal,
): Promise<NodeAnswer<T>> {
  const asked = askedMark(request.content);
  // A note that can't be read holds nothing back: at worst the same is asked too often.
  const [time, row] = [await deps.store.now(), await deps.store.getNode(node.key)];
  const now = time.ok ? time.value : deps.clock.wallMs();
  const previous = row.ok ? row.value?.value.refusals?.[request.part] : undefined;
  if (isHeldBack(previous, asked, now)) return { kind: 'refused' };
  const answer = await request.send(signal);
  if (answer.ok) {
    if (previous !== undefined) await note(deps, node, request.part, undefined);
    return { kind: 'done', value: answer.value };
  }
  const { fault } = answer;
  if (!isRefusal(fault)) return { kind: 'failed', fault };
  const { refusal, isNew } = nextRefusal(previous, { asked, fault, now, random: deps.random() });
  if (isNew)
    deps.log.warn('the API server refuses a change of the Node', {
      node: nodeKeyText(node.key),
      change: request.what,
      fault: describeFault(fault),
    });
  await writeEvent(deps, node, { request, fault, refusal }, signal);
  await note(deps, node, request.part, refusal);
  return { kind: 'refused' };
}

/** With each try, since events live for an hour only: the API server keeps one of the same name. */
async function writeEvent(
  deps: Deps,
  node: NodeDeps,
  { request, fault, refusal }: { request: NodeRequest<unknown>; fault: Fault; refusal: NodeRefusal },
  signal: AbortSignal,
): Promise<void> {
  const { node: name } = node.key;
  const written = await node.api.createEvent(
    {
      // `kubectl describe node` looks for events of a node by its name as the UID.
      involved: { kind: 'Node', namespace: '', name, uid: name },
      type: 'Warning',
      reason: request.reason,
      message: `The API server refuses to ${request.what}: ${describeFault(fault)}`,
      at: new Date(node.api.now() ?? deps.clock.wallMs()).toISOString().replace(/\.\d+Z$/, 'Z'),
      dedupeKey: `${refusal.asked}/${refusal.answer}`,
    },
    signal,
  );
  if (!written.ok)
    deps.log.warn('event could not be written', { reason: request.reason, fault: describeFault(written.fault) });
}

async function note(deps: Deps, node: NodeDeps, part: NodePart, refusal: NodeRefusal | undefined): Promise<void> {
  const change = ({ refusals = {} }: NodeRow): Partial<NodeRow> => {
    const { [part]: _, ...others } = refusals;
    return { refusals: refusal === undefined ? others : { ...others, [part]: refusal } };
  };
  await updateNode(deps, node, change);
}
