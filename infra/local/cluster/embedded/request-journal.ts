/** One request as it was answered. */
export interface JournalEntry {
  /** When it came, in ms since the epoch. */
  readonly atMs: number;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** The user it was judged as: the impersonated one where there is one. Empty: nobody that is known. */
  readonly user: string;
  /** 0: the connection was cut before an answer. */
  readonly status: number;
}

const most = 200_000;

/** The last requests, oldest first. A watch is noted when it begins. */
export class RequestJournal {
  #entries: JournalEntry[] = [];

  add(entry: JournalEntry): void {
    this.#entries.push(entry);
    // Cutting in blocks keeps adding cheap.
    if (this.#entries.length > most * 2) this.#entries = this.#entries.slice(-most);
  }

  entries(): readonly JournalEntry[] {
    return this.#entries.slice(-most);
  }

  clear(): void {
    this.#entries = [];
  }
}
