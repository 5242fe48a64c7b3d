/** The agent's program as the app was deployed with it. */
export interface Program {
  /** Of the program, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly gzip: Uint8Array;
  /** The program itself: unpacked with the first call, and kept. */
  unpacked(): Promise<Uint8Array>;
}

/** What the app's package has of the agent. Reads files alone; nothing before the first call, and each file once. */
export interface PackagedAgent {
  /** Its hash, of a small file; undefined: the package is without it. */
  sha256(): Promise<string | undefined>;
  /** Some megabytes, from then on in memory. Undefined as above, and where what is there is not what its hash names. */
  read(): Promise<Program | undefined>;
}
