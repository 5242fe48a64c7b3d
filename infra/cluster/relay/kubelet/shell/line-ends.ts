const carriageReturn = 13;
const lineFeed = 10;

/** Undoes what a terminal does to the ends of lines, `\r\n` for `\n`, however the bytes are cut. What a program wrote as `\r\n` itself is changed too. */
export class LineEnds {
  #holdsReturn = false;

  read(bytes: Buffer): Buffer {
    const all = this.#holdsReturn ? Buffer.concat([Buffer.from([carriageReturn]), bytes]) : bytes;
    this.#holdsReturn = all.at(-1) === carriageReturn;
    const end = this.#holdsReturn ? all.length - 1 : all.length;
    const kept = all.subarray(0, end).filter((byte, at) => byte !== carriageReturn || all[at + 1] !== lineFeed);
    return Buffer.from(kept);
  }

  /** What was held back, at the end. */
  rest(): Buffer {
    return this.#holdsReturn ? Buffer.from([carriageReturn]) : Buffer.alloc(0);
  }
}
