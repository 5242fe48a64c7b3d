/** Structured log. `message` is constant; what varies goes into fields. Never a secret, an env value or a pod spec. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
