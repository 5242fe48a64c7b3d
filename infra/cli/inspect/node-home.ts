/** Whose node it is. */
export interface NodeHome {
  readonly installation: string;
  readonly cluster: string;
  /** Whether the API server answered; when it did not, what it would have told is not told again for each node. */
  readonly asked: boolean;
}
