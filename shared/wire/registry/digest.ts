import * as z from 'zod';

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Of the algorithms that the image specification registers. */
export const digest = z.string().regex(pattern);

/** A digest as a header has it; undefined: none that can be checked. */
export const parseDigest = (text: string | undefined): string | undefined =>
  text !== undefined && pattern.test(text.trim()) ? text.trim() : undefined;
