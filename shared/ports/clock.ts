/**
 * Time as one process knows it. What is shared between processes (locks, intents, due keys) goes by the Table
 * service's time instead, and what a cluster reads by its API server's: a process's own clock may be minutes off.
 */
export interface Clock {
  /** This process's own time, in ms since the epoch. */
  wallMs(): number;
  /** Milliseconds since some start; never goes back, and goes on while the process is frozen. */
  monotonicMs(): number;
  /** Aborts after so many ms. */
  timeout(ms: number): AbortSignal;
  /** A pause within an invocation: a fraction of a second, so that instances that met once do not meet again. */
  sleep(ms: number): Promise<void>;
}
