/** Faults of the outside worlds, drawn from one seeded source. */
import type { RequestFault } from '../sim/faults/vocabulary.ts';
import { random } from '../sim/time/chance.ts';
import { pass } from './call.ts';
import type { Answer, Judge, OutsideCall, Verdict, World } from './call.ts';

const faultKinds = [
  'throttled',
  'throttled without Retry-After',
  'server error before',
  'unavailable before',
  'unavailable after',
  'reset before',
  'reset after',
  'slow request',
  'garbage body',
  'truncated body',
] as const satisfies readonly RequestFault[];
export type GateFault = (typeof faultKinds)[number];

export interface FaultsOptions {
  readonly seed: number;
  /** Of all calls, 0 to 1. */
  readonly rate: number;
  /** Called with each fault before it happens. */
  readonly onFault?: (kind: GateFault, call: OutsideCall) => void;
}

const longestDelayMs = 2_000;

/** Draws for each call whether it is faulty and how. */
export function drawFaults({ seed, rate, onFault }: FaultsOptions): Judge {
  const next = random(seed);
  return (call) => {
    if (next() >= rate) return pass;
    const kind = faultKinds[Math.floor(next() * faultKinds.length)] ?? 'slow request';
    onFault?.(kind, call);
    return verdictOf(kind, call.world, next());
  };
}

function verdictOf(kind: GateFault, world: World, fraction: number): Verdict {
  switch (kind) {
    case 'throttled':
      return { kind: 'refuse', answer: fault(world, throttling[world], { 'retry-after': '1' }) };
    case 'throttled without Retry-After':
      return { kind: 'refuse', answer: fault(world, throttling[world]) };
    case 'server error before':
      return { kind: 'refuse', answer: fault(world, { status: 500, code: 'InternalServerError' }) };
    case 'unavailable before':
      return { kind: 'refuse', answer: fault(world, { status: 503, code: 'ServiceUnavailable' }) };
    case 'unavailable after':
      return { kind: 'deny', answer: fault(world, { status: 503, code: 'ServiceUnavailable' }) };
    case 'reset before':
      return { kind: 'reset', moment: 'before' };
    case 'reset after':
      return { kind: 'reset', moment: 'after' };
    case 'slow request':
      return { kind: 'slow', delayMs: Math.round(fraction * longestDelayMs) };
    case 'garbage body':
      return { kind: 'garbage' };
    case 'truncated body':
      return { kind: 'truncate' };
  }
}

interface Refusal {
  readonly status: number;
  readonly code: string;
}

/** How each world says that it is too much. Table storage says 503 ServerBusy. */
const throttling: Readonly<Record<World, Refusal>> = {
  kubernetes: { status: 429, code: 'TooManyRequests' },
  arm: { status: 429, code: 'TooManyRequests' },
  tables: { status: 503, code: 'ServerBusy' },
};

/** A refusal in the world's own words. */
function fault(world: World, { status, code }: Refusal, headers: Readonly<Record<string, string>> = {}): Answer {
  const message = 'A fault of the gate.';
  const body = {
    kubernetes: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason: code,
      code: status,
    },
    arm: { error: { code, message } },
    tables: { 'odata.error': { code, message: { lang: 'en-US', value: message } } },
  }[world];
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(body)),
  };
}
