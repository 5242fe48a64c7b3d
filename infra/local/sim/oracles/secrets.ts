import type { Report } from './violation.ts';

const mostReported = 500;

/**
 * O5: a secret value is nowhere but in the container and in what ACI keeps secret: no row, log line, tag, event,
 * status. Each place of a pod is reported once.
 */
export class SecretWatch {
  readonly #secret: RegExp;
  readonly #report: Report;
  readonly #reported = new Set<string>();

  /** `secret` is found in every planted value, and in nothing else. */
  constructor(secret: RegExp, report: Report) {
    this.#secret = secret;
    this.#report = report;
  }

  /** `value` is text, or anything that is written as JSON. */
  see(where: string, value: unknown, uid = ''): void {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (text === undefined || !this.#secret.test(text) || this.#reported.has(`${where} ${uid}`)) return;
    this.#reported.add(`${where} ${uid}`);
    this.#report('O5', `a secret is in ${where}: ${text.slice(0, mostReported)}`, uid);
  }
}
