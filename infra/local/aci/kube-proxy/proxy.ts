import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiReader } from './api.ts';
import type { NamespaceRules } from './namespace.ts';
import { endpointsSchema, serviceSchema } from './objects.ts';
import type { Endpoints, Service } from './objects.ts';
import { reflect } from './reflector.ts';
import { proxyRules } from './rules.ts';

export interface ProxyOptions {
  readonly api: ApiReader;
  readonly rules: Pick<NamespaceRules, 'apply'>;
  readonly clusterCidr: string | undefined;
  readonly watchSeconds: number;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Changes within it are applied at once, together. */
const gatherMs = 150;
const retryMs = 2000;

/** Keeps the rules as Services and Endpoints are, until it is to end. */
export async function runProxy({ api, rules, clusterCidr, watchSeconds, log, signal }: ProxyOptions): Promise<void> {
  let services: ReadonlyMap<string, Service> | undefined;
  let endpoints: ReadonlyMap<string, Endpoints> | undefined;
  const due = new Due();
  const reported = new Set<string>();
  const common = { api, watchSeconds, log, signal };
  const reading = Promise.all([
    reflect({
      ...common,
      path: '/api/v1/services',
      schema: serviceSchema,
      onChange: (items) => {
        services = items;
        due.set();
      },
    }),
    reflect({
      ...common,
      path: '/api/v1/endpoints',
      schema: endpointsSchema,
      onChange: (items) => {
        endpoints = items;
        due.set();
      },
    }),
  ]);
  signal.addEventListener('abort', () => due.set());
  for (;;) {
    await due.wait();
    if (signal.aborted) break;
    await sleep(gatherMs);
    due.clear();
    if (services === undefined || endpoints === undefined) continue;
    const wanted = proxyRules(services.values(), endpoints.values(), clusterCidr);
    for (const fault of wanted.faults) if (!reported.has(fault)) log(fault);
    reported.clear();
    for (const fault of wanted.faults) reported.add(fault);
    try {
      if ((await rules.apply(wanted)) === 'applied') log(`rules of ${services.size} Services`);
    } catch (error) {
      log(error instanceof Error ? error.message : String(error));
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      due.set();
    }
  }
  await reading;
}

/** Something is to be done, until it is cleared. */
class Due {
  #next = Promise.withResolvers<void>();

  set(): void {
    this.#next.resolve();
  }

  wait(): Promise<void> {
    return this.#next.promise;
  }

  clear(): void {
    this.#next = Promise.withResolvers<void>();
  }
}
