import { wrongInput } from '../stop.ts';

/** From `from`, to just before `to`; ms. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/**
 * `--from` and `--to`: a day (its first moment, UTC) or an instant as RFC 3339. Without them from the first of this month
 * to now. `nowMs` is the Table service's time.
 */
export function parseWindow(from: string | undefined, to: string | undefined, nowMs: number): Window {
  const now = new Date(nowMs);
  const firstOfMonth = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const window = {
    from: from === undefined ? firstOfMonth : instant('from', from),
    to: to === undefined ? nowMs : instant('to', to),
  };
  if (window.from < window.to) return window;
  throw wrongInput(
    '--from is not before --to',
    'the window goes from --from to just before --to; without --to it ends now',
  );
}

const day = /^\d{4}-\d{2}-\d{2}$/;
const full = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

function instant(option: string, text: string): number {
  const ms = day.test(text) || full.test(text) ? Date.parse(text) : Number.NaN;
  // A day such as 2026-02-30 would be taken for one of the next month.
  const isReal = Number.isFinite(ms) && (!day.test(text) || new Date(ms).toISOString().startsWith(text));
  if (isReal) return ms;
  throw wrongInput(
    `--${option} wants a day, not "${text}"`,
    'write it as 2026-11-01, or 2026-11-01T08:00:00Z; days begin at midnight UTC',
  );
}
