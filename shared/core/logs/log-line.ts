/** One line of what ACI keeps, as `timestamps=true` shows it: an RFC 3339 instant with up to nine decimals, a blank, the text. */
export interface LogLine {
  /** With its instant and, unless it is the unfinished last one, its newline. */
  readonly raw: string;
  /** Without the instant. */
  readonly text: string;
  /** Sorts as time does; undefined where the line has no instant (cut off at the front, or not ACI's doing). */
  readonly instant: string | undefined;
}

const shape = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2}) /;

/** All lines, the unfinished last one included. */
export const parseLines = (content: string): readonly LogLine[] =>
  (content.match(/[^\n]*\n|[^\n]+$/g) ?? []).map(parseLine);

/** What is left when the instants are taken away. */
export const stripTimestamps = (content: string): string =>
  parseLines(content)
    .map(({ text }) => text)
    .join('');

/** Up to the last newline: a line that is still being written waits until it is whole, as with a kubelet. */
export const completeLines = (content: string): string => content.slice(0, content.lastIndexOf('\n') + 1);

/** At most `bytes` of UTF-8. May cut inside a line, never inside a character. */
export function limitToBytes(text: string, bytes: number): string {
  const encoded = new TextEncoder().encode(text);
  if (encoded.length <= bytes) return text;
  let end = Math.max(0, bytes);
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return new TextDecoder().decode(encoded.subarray(0, end));
}

/** The form of `LogLine.instant` for a time in ms. */
export const instantKey = (ms: number): string => {
  const seconds = Math.floor(ms / 1000);
  return key(seconds, String(ms - seconds * 1000).padStart(3, '0'));
};

function parseLine(raw: string): LogLine {
  const match = shape.exec(raw);
  if (match === null) return { raw, text: raw, instant: undefined };
  const [prefix, wholeSeconds = '', fraction = '', zone = ''] = match;
  const ms = Date.parse(wholeSeconds + zone);
  if (!Number.isFinite(ms) || ms < 0) return { raw, text: raw, instant: undefined };
  return { raw, text: raw.slice(prefix.length), instant: key(ms / 1000, fraction) };
}

const key = (seconds: number, fraction: string): string =>
  String(Math.max(0, seconds)).padStart(12, '0') + fraction.padEnd(9, '0');
