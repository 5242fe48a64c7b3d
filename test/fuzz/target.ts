import type { Dice } from './dice.ts';
import type { Mutator } from './mutator.ts';

/** One case as it is played. */
export interface Case {
  readonly dice: Dice;
  readonly mutator: Mutator;
  /** How its input is shown when it fails, secrets masked; to be set before anything is called. */
  show: () => string;
}

/** What came of one case. */
export interface CaseReport {
  /** One of few words for the summary: `200`, `400`, `transient`. */
  readonly outcome: string;
  /** Broken rules, a sentence each; none is what should be. */
  readonly faults: readonly string[];
  /** Mutated inputs in the case; one unless given. */
  readonly inputs?: number;
}

export interface Bench {
  /** Plays one case. A rejection is a crash. */
  run(one: Case): Promise<CaseReport>;
  close?(): Promise<void>;
}

export interface Target {
  readonly name: string;
  /** What its inputs count as. */
  readonly share: 'requests' | 'answers' | 'relay' | 'sockets';
  /** Of a full run. */
  readonly cases: number;
  /** Of a run of the tests. */
  readonly testCases: number;
  /** A case that takes longer hangs; 10 s unless given. */
  readonly hangMs?: number;
  open(): Promise<Bench>;
}
