/** The query of `GET /containerLogs/{namespace}/{pod}/{container}`, checked as a kubelet does (pkg/kubelet/server/server.go). */
import { defined } from '../defined.ts';
export interface LogOptions {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  /** Lines from the end; 0: none. */
  readonly tailLines?: number;
  /** At least 1; never together with `sinceTimeMs`. */
  readonly sinceSeconds?: number;
  readonly sinceTimeMs?: number;
  /** Of the answer's body; at least 1. */
  readonly limitBytes?: number;
}

/** `message` is the body as a kubelet writes it. 400: a value can't be read. 422: it can, but not so. */
export type LogQuery =
  | { readonly ok: true; readonly options: LogOptions }
  | { readonly ok: false; readonly status: 400 | 422; readonly message: string };

const undecodable: LogQuery = { ok: false, status: 400, message: '{"message": "Unable to decode query."}' };
const invalid: LogQuery = { ok: false, status: 422, message: '{"message": "Invalid request."}' };

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Reads the first value of each parameter. The old `tail` outranks `tailLines`; its `all` means no limit. Unknown parameters are ignored. */
export function parseLogQuery(query: URLSearchParams | Readonly<Record<string, string>>): LogQuery {
  const params = query instanceof URLSearchParams ? query : new URLSearchParams(query);
  const numbers = {
    tailLines: tailLinesOf(params),
    sinceSeconds: integer(params.get('sinceSeconds')),
    sinceTimeMs: instant(params.get('sinceTime')),
    limitBytes: integer(params.get('limitBytes')),
  };
  if (Object.values(numbers).some((value) => Number.isNaN(value))) return undecodable;
  // ACI keeps one stream: what asks for half of it can't be answered truthfully.
  if ((params.get('stream') ?? 'All') !== 'All' || !isValid(numbers)) return invalid;
  const flags = {
    follow: flag(params.get('follow')),
    previous: flag(params.get('previous')),
    timestamps: flag(params.get('timestamps')),
  };
  return { ok: true, options: { ...flags, ...present(numbers) } };
}

interface Numbers {
  readonly tailLines: number | undefined;
  readonly sinceSeconds: number | undefined;
  readonly sinceTimeMs: number | undefined;
  readonly limitBytes: number | undefined;
}

const present = ({ tailLines, sinceSeconds, sinceTimeMs, limitBytes }: Numbers): Partial<LogOptions> => ({
  ...defined({ tailLines, sinceSeconds, sinceTimeMs, limitBytes }),
});

function isValid({ tailLines = 0, sinceSeconds, sinceTimeMs, limitBytes = 1 }: Numbers): boolean {
  const isTwice = sinceSeconds !== undefined && sinceTimeMs !== undefined;
  return !isTwice && tailLines >= 0 && (sinceSeconds ?? 1) >= 1 && limitBytes >= 1;
}

function tailLinesOf(params: URLSearchParams): number | undefined {
  const tail = params.get('tail') ?? '';
  if (tail === 'all') return undefined;
  return integer(tail === '' ? params.get('tailLines') : tail);
}

/** As apimachinery decodes a flag: present means true, unless it says `false` or `0`. */
const flag = (text: string | null): boolean => text !== null && text.toLowerCase() !== 'false' && text !== '0';

/** NaN when it is no 64-bit integer. */
function integer(text: string | null): number | undefined {
  if (text === null) return undefined;
  const isInteger =
    /^[+-]?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text.replace('+', ''))) === BigInt(text.replace('+', ''));
  return isInteger ? Number(text) : Number.NaN;
}

/** Milliseconds; NaN when it is no RFC 3339. Empty means absent, as `metav1.Time` reads it. */
function instant(text: string | null): number | undefined {
  if (text === null || text === '' || text === 'null') return undefined;
  return rfc3339.test(text) ? Date.parse(text) : Number.NaN;
}
