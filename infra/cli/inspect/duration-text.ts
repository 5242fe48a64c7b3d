const units = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const;

/** `45s`, `3m20s`, `2h5m`, `4d3h`: the two largest units, whole. A negative duration is as one of 0. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const index = units.findIndex(([, size]) => whole >= size);
  const [unit, size] = units[index] ?? ['s', 1];
  const [next, nextSize] = units[index + 1] ?? ['s', 1];
  if (index === -1) return `${String(whole)}s`;
  const rest = Math.floor((whole % size) / nextSize);
  return `${String(Math.floor(whole / size))}${unit}${rest === 0 ? '' : `${String(rest)}${next}`}`;
}
