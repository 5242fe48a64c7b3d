import { randomBytes } from 'node:crypto';

/** Of the number by which what belongs to one session differs from what its command writes. */
const nonceBytes = 12;

/** Printable, another for each session, and guessed by nobody. */
export const newNonce = (): string => randomBytes(nonceBytes).toString('hex');
