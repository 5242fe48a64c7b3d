/** The URL that a text is, or undefined. As `URL.parse`, which the command line's oldest Node does not have. */
export const parseUrl = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);
