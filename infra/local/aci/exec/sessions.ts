import { randomInt, randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { GroupEntry } from '../group-store.ts';
import type { TerminalSize } from '../runtime/runtime.ts';

interface Target {
  readonly group: GroupEntry;
  readonly container: string;
}

/** What a session is for. */
export type SessionOrder =
  | (Target & { readonly kind: 'exec'; readonly command: string; readonly size: TerminalSize })
  | (Target & { readonly kind: 'attach' });

interface Session {
  readonly order: SessionOrder;
  readonly password: string;
  readonly expiresAt: number;
}

/**
 * Sessions that nobody has entered yet. Each is entered once: whoever shows a password first uses it up, right or wrong.
 */
export class Sessions {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Session>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(order: SessionOrder, lifetimeSeconds: number): { readonly id: string; readonly password: string } {
    const now = this.#clock.now();
    for (const [id, session] of this.#waiting) if (session.expiresAt <= now) this.#waiting.delete(id);
    const id = randomUUID();
    const password = newPassword();
    this.#waiting.set(id, { order, password, expiresAt: now + lifetimeSeconds * 1000 });
    return { id, password };
  }

  /** Whether somebody may still enter it. */
  isWaiting(id: string, kind: SessionOrder['kind']): boolean {
    return this.#find(id)?.order.kind === kind;
  }

  /** Enters it; `undefined` where the password is wrong, late or used up. */
  enter(id: string, password: string): SessionOrder | undefined {
    const session = this.#find(id);
    this.#waiting.delete(id);
    return session?.password === password ? session.order : undefined;
  }

  clear(): void {
    this.#waiting.clear();
  }

  #find(id: string): Session | undefined {
    const session = this.#waiting.get(id);
    if (session === undefined || session.order.group.deleted) return undefined;
    return session.expiresAt > this.#clock.now() ? session : undefined;
  }
}

const passwordLength = 40;

/** Any printable characters, and the ending that was recorded. */
function newPassword(): string {
  const codes = Array.from({ length: passwordLength }, () => randomInt(0x21, 0x7f));
  return `${String.fromCharCode(...codes)}[[EOM]]`;
}
