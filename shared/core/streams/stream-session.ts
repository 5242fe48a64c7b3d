/** One session of Azure's with a container: whoever knows both may speak to it, once. */
export interface StreamSession {
  /** `wss://HOST:19390/…`, taken as it is. */
  readonly webSocketUri: string;
  /** A secret. */
  readonly password: string;
}

/** Of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** As most terminals begin; of a session whose client has none, or does not say its size. */
export const defaultTerminalSize: TerminalSize = { columns: 80, rows: 24 };

/** More than any screen has; what a client says beyond it is no size. */
export const mostTerminalSide = 1000;

/** Sizes of 0 come from clients whose window is not there yet. */
export const isTerminalSize = ({ columns, rows }: TerminalSize): boolean =>
  [columns, rows].every((side) => Number.isInteger(side) && side >= 1 && side <= mostTerminalSide);

/** What is at the other end of a session, and so what is spoken over it. */
export type FarEnd =
  /** The image's shell behind a terminal: a script is typed, and what it prints is read. */
  | 'shell'
  /** The container's output from now on; nobody listens. */
  | 'output'
  /** The agent of the container: a command, or the container's own input and output, by frames. */
  | 'agent'
  /** The same agent: connections to ports of the group, by frames. */
  | 'ports';
