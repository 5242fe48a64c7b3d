/** What an agent answers one word with: done or under way, or why not, in its own words. */
export type WordAnswer =
  | {
      readonly ok: true;
      /** What it adds; e.g. that no agent stays in the container, and process 1 got its signal. */
      readonly message?: string;
    }
  | { readonly ok: false; readonly message: string };

/** What an agent knows of itself. */
export interface AgentStatus {
  readonly bootId: string;
  readonly phase: 'waiting' | 'running' | 'ended' | 'parked';
  /** Why its last report was not answered, in its own words; undefined: it was. */
  readonly lastFault?: string;
}

export type StatusAnswer =
  | { readonly ok: true; readonly status: AgentStatus }
  | { readonly ok: false; readonly message: string };

/** The links that ARM's exec starts, one word each (infra/agent/README.md). */
export const agentWord = { drain: '/.sk/d', refresh: '/.sk/r', status: '/.sk/s' } as const;
