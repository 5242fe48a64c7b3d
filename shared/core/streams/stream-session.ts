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

/** More than any screen has; what a client says beyond it is no size. */
export const mostTerminalSide = 1000;

/** What is at the other end of a session, and so what is spoken over it. */
export type FarEnd =
  /** The image's shell behind a terminal: a script is typed, and what it prints is read. */
  | 'shell'
  /** The container's output from now on; nobody listens. */
  | 'output';
