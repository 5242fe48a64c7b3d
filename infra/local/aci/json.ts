/** What an answer's body may hold; `undefined` members vanish on the wire. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** A request as the front door sees it, socket or no socket. `path` keeps its casing; header names are lower case. */
export interface ArmRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** Scheme and authority under which the client reached the emulator: absolute links are built on it. */
  readonly origin: string;
}

export interface ArmResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: no body. A string is sent as it is. */
  readonly body?: Json;
  readonly rawBody?: string;
  /** The connection is cut instead of an answer. */
  readonly drop?: true;
}

/** Parses JSON; `undefined` when it is none. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
