/** Whose node it is. */
export interface NodeHome {
  readonly installation: string;
  readonly cluster: string;
  /** Whether the API server answered; when it did not, what it would have reported is not reported again for each node. */
  readonly asked: boolean;
}
