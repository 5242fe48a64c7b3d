/**
 * What the agent of one container reports (infra/agent/README.md, Reports). Times are ms since the epoch, of the clock that
 * all containers of a group share.
 */
export interface AgentReport {
  /** Empty: of `install`. */
  readonly container: string;
  /** One start of the container; of two the later has the greater text. */
  readonly bootId: string;
  /** Counts within a boot. */
  readonly number: number;
  readonly sentAt: number;
  readonly state: AgentState;
  /** Those that no answer has confirmed. */
  readonly events: readonly AgentEvent[];
}

/** `parked`: ended, and process 1 stays so that ACI does not start the container again. */
export type AgentPhase = 'waiting' | 'running' | 'ended' | 'parked';

/** All there is to know of a container: a later one stands for all before it. */
export interface AgentState {
  readonly phase: AgentPhase;
  /** Why, while it waits. */
  readonly waiting?: { readonly reason: string; readonly message?: string };
  /** Of the program that runs, or ran last. */
  readonly startedAt?: number;
  /** As in a status: the startup probe and postStart are over. */
  readonly started: boolean;
  readonly ready: boolean;
  /** How often the agents of this group have started the program again, over all starts of the container. */
  readonly restarts: number;
  readonly ended?: ProgramEnd;
  /** Of the run before, also where that was another start of the container. */
  readonly lastEnded?: ProgramEnd;
  /** Nothing starts the program again. */
  readonly final: boolean;
  /** While it is ended because the pod is deleted: when that is over. */
  readonly drainBy?: number;
  /** Revisions of the live volumes that are there, by the volumes' names. */
  readonly volumes?: Readonly<Record<string, string>>;
}

/** How a program ended, as a kubelet would know it. */
export interface ProgramEnd {
  readonly exitCode: number;
  /** Absent: it ended by itself. */
  readonly signal?: number;
  /** `Completed`, `Error`, `OOMKilled` or why it never ran. */
  readonly reason: string;
  /** The termination message. */
  readonly message?: string;
  /** Absent: it never ran. */
  readonly startedAt?: number;
  readonly finishedAt: number;
}

export interface AgentEvent {
  /** Counts within a boot; what happens again keeps it. */
  readonly n: number;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, a kubelet's or of the list in infra/agent/README.md. */
  readonly reason: string;
  readonly message: string;
  /** How often it has happened in this boot. */
  readonly count: number;
  readonly lastAt: number;
}

/** Whether the one was sent after the other by agents of the same container: boots as text, then numbers. */
export const isLater = (
  one: Pick<AgentReport, 'bootId' | 'number'>,
  other: Pick<AgentReport, 'bootId' | 'number'>,
): boolean => (one.bootId === other.bootId ? one.number > other.number : one.bootId > other.bootId);
