/** One ARM request as it was answered. */
export interface JournalEntry {
  readonly time: string;
  readonly principal: string | undefined;
  readonly method: string;
  /** Path and query, without the signature of an operation URL. */
  readonly path: string;
  readonly action: string | undefined;
  /** 0: the connection was cut. */
  readonly status: number;
  readonly code: string | undefined;
  readonly injected: boolean;
  readonly durationMs: number;
}

/** How often somebody needed an action since the emulator began. */
export interface ActionUse {
  /** `clientId` of the principal. */
  readonly principal: string;
  readonly action: string;
  allowed: number;
  denied: number;
}

/** Every start of a container and its end: the truth about what ran. */
export interface Run {
  readonly group: string;
  readonly container: string;
  readonly init: boolean;
  readonly uid: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** The group's incarnation: a PUT, start or restart makes another one. */
  readonly sandbox: string;
  readonly containerId: string;
  readonly startedAt: string;
  finishedAt: string | undefined;
  exitCode: number | undefined;
  oomKilled: boolean | undefined;
}

/** Keeps the last `capacity` things, oldest first. */
export class Ring<T> {
  readonly #capacity: number;
  #items: T[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(item: T): void {
    this.#items.push(item);
    // Cutting in blocks keeps adding cheap.
    if (this.#items.length > this.#capacity * 2) this.#items = this.#items.slice(-this.#capacity);
  }

  all(): readonly T[] {
    return this.#items.slice(-this.#capacity);
  }

  clear(): void {
    this.#items = [];
  }
}

export class Journal {
  readonly requests: Ring<JournalEntry>;
  readonly runs: Ring<Run>;
  /** By principal and action; few, so that none is forgotten. */
  readonly actions = new Map<string, ActionUse>();

  constructor(size: number) {
    this.requests = new Ring(size);
    this.runs = new Ring(Math.max(size, 20_000));
  }

  /** Counts one check of an action. */
  needed(principal: string, action: string, isAllowed: boolean): void {
    const key = `${principal} ${action}`;
    const use = this.actions.get(key) ?? { principal, action, allowed: 0, denied: 0 };
    use[isAllowed ? 'allowed' : 'denied'] += 1;
    this.actions.set(key, use);
  }
}

/** The value of the tag that names the pod. */
export function uidOf(tags: Readonly<Record<string, string>>, uidTag: string | undefined): string | undefined {
  if (uidTag !== undefined) return tags[uidTag];
  const names = Object.keys(tags).filter((name) => /uid$/i.test(name));
  const name = names.find((n) => /pod/i.test(n)) ?? names.find((n) => !/cluster/i.test(n)) ?? names[0];
  return name === undefined ? undefined : tags[name];
}
