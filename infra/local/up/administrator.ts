import type { Attachment, ServiceAccountToken, TokenWanted } from '../cluster/attach.ts';

/** One poll of a pod. */
export interface Sighting {
  readonly name: string;
  readonly uid: string;
  readonly isBound: boolean;
  readonly isAccepted: boolean;
  readonly phase: string;
  readonly at: number;
}

/** Something to be asked of a cluster until it answers as wanted; as text. */
export type Question =
  /** `phase/reason/exit code` of a pod in `default`, as {@link podEnd} writes it. */
  | { readonly kind: 'pod'; readonly name: string }
  /** What the first container of a pod in `default` wrote. */
  | { readonly kind: 'log'; readonly pod: string }
  /** Arguments of kubectl: what only it answers. */
  | { readonly kind: 'kubectl'; readonly args: readonly string[] };

/**
 * What the laptop cloud does in a cluster as its administrator: through kubectl, or where there is none through the
 * API. Every method rejects with what the cluster said.
 */
export interface Administrator {
  /** With `services` pods may reach Services too. */
  attach(nodes: readonly string[], options?: { readonly services?: boolean }): Promise<Attachment>;
  requestToken(wanted: TokenWanted): Promise<ServiceAccountToken>;
  /** The status of the node's condition `Ready`; empty when there is no such node. */
  readReady(node: string): Promise<string>;
  /** Creates or changes what manifests describe. */
  apply(files: readonly string[]): Promise<void>;
  /** Deletes what manifests describe, and waits a minute at most until it is gone. */
  remove(files: readonly string[]): Promise<void>;
  /** Never rejects: what went wrong is an answer, too. */
  ask(question: Question): Promise<string>;
  /** Reports each pod of `default` as it is and becomes, until the answered function is called. */
  watchPods(see: (pod: Omit<Sighting, 'at'>) => void): () => void;
  /** Lets go of its connections. */
  close(): void;
}

/** How a question is put in words, for a message. */
export function describeQuestion(question: Question): string {
  switch (question.kind) {
    case 'pod':
      return `pod ${question.name}`;
    case 'log':
      return `the log of pod ${question.pod}`;
    case 'kubectl':
      return `kubectl ${question.args.join(' ')}`;
  }
}
