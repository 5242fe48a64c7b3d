import { z } from 'zod';
import type { RegisteredFunction } from './protocol.ts';

/** How long to wait between the attempts of a timer's retry policy. */
export interface RetryPolicy {
  readonly maxRetryCount: number;
  /** Delay before the given retry (1 is the first), in milliseconds. */
  delayMs(retry: number): number;
}

export type AuthLevel = 'anonymous' | 'function' | 'admin';

export interface HttpFunction {
  readonly kind: 'http';
  readonly name: string;
  /** Template without prefix; a function without a route has its name. */
  readonly route: string;
  readonly methods: readonly string[];
  readonly authLevel: AuthLevel;
}

export interface TimerFunction {
  readonly kind: 'timer';
  readonly name: string;
  /** NCRONTAB, possibly with `%SETTING%`. */
  readonly schedule: string;
  readonly runOnStartup: boolean;
  readonly useMonitor: boolean;
  readonly retry: RetryPolicy | undefined;
}

/** A trigger that needs an extension of the real host. */
export interface UnservedFunction {
  readonly kind: 'unserved';
  readonly name: string;
  readonly triggerType: string;
}

export type FunctionDefinition = HttpFunction | TimerFunction | UnservedFunction;

const Trigger = z.looseObject({ type: z.string(), name: z.string() });
const HttpTrigger = z.looseObject({
  route: z.string().optional(),
  methods: z.array(z.string()).default(['GET', 'POST']),
  authLevel: z.string().default('anonymous'),
});
const TimerTrigger = z.looseObject({
  schedule: z.string(),
  runOnStartup: z.boolean().default(false),
  useMonitor: z.boolean().default(true),
});
const Duration = z.looseObject({ seconds: z.coerce.number() });
const Retry = z.looseObject({
  maxRetryCount: z.number(),
  retryStrategy: z.enum(['fixedDelay', 'exponentialBackoff']),
  delayInterval: Duration.optional(),
  minimumInterval: Duration.optional(),
  maximumInterval: Duration.optional(),
});

function retryPolicy(retryOptions: string | undefined): RetryPolicy | undefined {
  if (retryOptions === undefined) return undefined;
  const retry = Retry.parse(JSON.parse(retryOptions));
  const fixedMs = (retry.delayInterval?.seconds ?? 0) * 1000;
  const lowMs = (retry.minimumInterval?.seconds ?? 0) * 1000;
  const highMs = (retry.maximumInterval?.seconds ?? 0) * 1000;
  return {
    maxRetryCount: retry.maxRetryCount < 0 ? Number.POSITIVE_INFINITY : retry.maxRetryCount,
    delayMs: (count) => (retry.retryStrategy === 'fixedDelay' ? fixedMs : Math.min(highMs, lowMs * 2 ** (count - 1))),
  };
}

function authLevel(text: string): AuthLevel {
  const level = text.toLowerCase();
  return level === 'anonymous' || level === 'admin' ? level : 'function';
}

/** What the host needs of a registered function. Throws a sentence naming the function when its bindings make no sense. */
export function defineFunction(registered: RegisteredFunction): FunctionDefinition {
  const { name } = registered;
  const bindings = registered.rawBindings.map((text) => Trigger.parse(JSON.parse(text)));
  const trigger = bindings.find((binding) => /trigger$/i.test(binding.type));
  if (trigger === undefined) throw new Error(`Function "${name}" has no trigger binding.`);
  switch (trigger.type.toLowerCase()) {
    case 'httptrigger': {
      const http = HttpTrigger.parse(trigger);
      const methods = http.methods.map((method) => method.toUpperCase());
      return { kind: 'http', name, route: http.route || name, methods, authLevel: authLevel(http.authLevel) };
    }
    case 'timertrigger': {
      const { schedule, runOnStartup, useMonitor } = TimerTrigger.parse(trigger);
      return { kind: 'timer', name, schedule, runOnStartup, useMonitor, retry: retryPolicy(registered.retryOptions) };
    }
    default:
      return { kind: 'unserved', name, triggerType: trigger.type };
  }
}
