import type { Failure } from './points.ts';

export const families = ['kills', 'freezes', 'pairs'] as const;
export type Family = (typeof families)[number];

/** A part of the matrix for one thread: the points `from` … `to` of a family, in the order of their enumeration. */
export interface Job {
  readonly family: Family;
  readonly variant: string;
  /** Which of `freezeKinds`. */
  readonly kind: number;
  readonly from: number;
  readonly to: number;
  readonly every: number;
  readonly all: boolean;
}

export interface Report {
  readonly job: Job;
  readonly lives: number;
  /** In the documented window. */
  readonly exempt: number;
  readonly failures: readonly Failure[];
}
