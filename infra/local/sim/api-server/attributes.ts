import type { FieldRequirement } from './selectors.ts';

/** What somebody wants to do with a resource. */
export interface Attributes {
  readonly verb: string;
  readonly group: string;
  /** The plural, as in paths. */
  readonly resource: string;
  readonly subresource: string;
  /** Empty: of the whole cluster, or of every namespace. */
  readonly namespace: string;
  /** Empty: none in particular. */
  readonly name: string;
  /** Of a list or a watch. */
  readonly fields?: readonly FieldRequirement[];
}
