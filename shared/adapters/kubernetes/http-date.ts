/** An HTTP date in ms since the epoch, NaN for anything else: `Date.parse` alone would read a year into "-3". */
export const parseHttpDate = (text: string | undefined): number =>
  text !== undefined && text.endsWith(' GMT') ? Date.parse(text) : Number.NaN;
