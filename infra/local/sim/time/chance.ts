/** One stream of chance. Streams of other names do not move when this one is drawn from. */
export interface Chance {
  /** In [0, 1). */
  readonly next: () => number;
  readonly isHit: (probability: number) => boolean;
  /** A whole number from `from` up to, but not including, `to`. */
  readonly between: (from: number, to: number) => number;
  readonly pick: <T>(options: readonly [T, ...(readonly T[])]) => T;
}

/** The same seed and name give the same stream. */
export function createChance(seed: number, name: string): Chance {
  let mixed = seed | 0;
  for (const character of name) mixed = (Math.imul(mixed, 31) + (character.codePointAt(0) ?? 0)) | 0;
  const next = random(mixed);
  return {
    next,
    isHit: (probability) => next() < probability,
    between: (from, to) => from + Math.floor(next() * (to - from)),
    pick: (options) => options[Math.floor(next() * options.length)] ?? options[0],
  };
}

/** Mulberry32: the same seed, the same numbers in [0, 1). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
