/** Whether what only a leader may do may be done now. To be asked in the last statement before each effect. */
export interface Term {
  readonly isHeld: () => boolean;
}

/** Of a relay that has no rival. */
export const endlessTerm: Term = { isHeld: () => true };
