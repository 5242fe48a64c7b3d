/** How long is waited for what, in ms. */
export interface StreamTimes {
  /** For the streams that a client asked for: as a kubelet. */
  readonly creationMs: number;
  /** For a session of the app's while it is refused for a moment. */
  readonly patienceMs: number;
  readonly connectMs: number;
  /** For the image's shell, or the container's agent, until it has begun with the command. */
  readonly beginMs: number;
  /** For the size of a client's window, which has to be known before its terminal is made. */
  readonly sizeMs: number;
  /** How often the relay and a container's agent say that they are there; who has not for three times has gone. */
  readonly presenceMs: number;
  /** For a word of either side: as a kubelet. */
  readonly idleMs: number;
  /** How often it is asked whether the pod, and the container's run, are still there. */
  readonly lookMs: number;
}

const defaults: StreamTimes = {
  creationMs: 30_000,
  patienceMs: 15_000,
  connectMs: 10_000,
  beginMs: 10_000,
  sizeMs: 500,
  presenceMs: 10_000,
  idleMs: 4 * 3_600_000,
  lookMs: 10_000,
};

/** Those of a context, where it has some of its own. */
export const streamTimes = ({ times }: { readonly times?: Partial<StreamTimes> }): StreamTimes => ({
  ...defaults,
  ...times,
});
