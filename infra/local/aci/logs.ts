/** Keeps the newest part of a log that fits `maxBytes` (UTF-8) and `maxLines`, cut at a line's start. */
export function newestPart(text: string, maxBytes: number, maxLines = Number.POSITIVE_INFINITY): string {
  let kept = lastLines(text, maxLines);
  const bytes = Buffer.from(kept);
  if (bytes.length > maxBytes) {
    const cut = bytes.subarray(bytes.length - maxBytes).toString();
    const lineStart = cut.indexOf('\n') + 1;
    kept = lineStart > 0 && lineStart < cut.length ? cut.slice(lineStart) : cut;
  }
  return kept;
}

/** The last `count` lines, line ends included. */
export function lastLines(text: string, count: number): string {
  if (!Number.isFinite(count)) return text;
  if (count <= 0) return '';
  let index = text.endsWith('\n') ? text.length - 1 : text.length;
  for (let seen = 0; seen < count; seen++) {
    index = index <= 0 ? -1 : text.lastIndexOf('\n', index - 1);
    if (index < 0) return text;
  }
  return text.slice(index + 1);
}

/** Takes the RFC3339Nano prefix from each line. */
export function stripTimestamps(text: string): string {
  return text.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /gm, '');
}
