const pattern = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

/**
 * `meta/v1.MicroTime`: RFC 3339 with exactly six decimals (the server refuses three). `micros` are whole microseconds
 * since the epoch.
 */
export function formatMicroTime(micros: number): string {
  const seconds = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19);
  const fraction = ((micros % 1_000_000) + 1_000_000) % 1_000_000;
  return `${seconds}.${String(fraction).padStart(6, '0')}Z`;
}

/** Microseconds since the epoch, further decimals cut; undefined when the text is no RFC 3339 time. */
export function parseMicroTime(text: string): number | undefined {
  const [, seconds = '', fraction = '', zone = ''] = pattern.exec(text) ?? [];
  const ms = Date.parse(`${seconds}${zone}`);
  return Number.isNaN(ms) ? undefined : ms * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
