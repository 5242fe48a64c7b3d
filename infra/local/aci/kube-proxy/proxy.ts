import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiReader } from './api.ts';
import type { NamespaceRules } from './namespace.ts';
import { endpointsSchema, serviceSchema } from './objects.ts';
import type { Endpoints, Service } from './objects.ts';
import { reflect } from './reflector.ts';
import { proxyRules } from './rules.ts';
import type { Ruleset } from './rules.ts';

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
  const writer = new Writer({ rules, clusterCidr, log });
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
    if (!(await writer.write([...services.values()], [...endpoints.values()]))) {
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      due.set();
    }
  }
  await reading;
}

/** Turns what is known into rules, and says what is in the way, once. */
class Writer {
  readonly #options: Pick<ProxyOptions, 'rules' | 'clusterCidr' | 'log'>;
  #reported: ReadonlySet<string> = new Set();
  #keepsSessions = true;

  constructor(options: Pick<ProxyOptions, 'rules' | 'clusterCidr' | 'log'>) {
    this.#options = options;
  }

  /** False: try again later. */
  async write(services: readonly Service[], endpoints: readonly Endpoints[]): Promise<boolean> {
    const { rules, clusterCidr, log } = this.#options;
    const rulesOf = (keepsSessions: boolean): Ruleset =>
      proxyRules(services, endpoints, { clusterCidr, keepsSessions });
    const wanted = rulesOf(this.#keepsSessions);
    let fault = await faultOf(rules.apply(wanted));
    if (
      fault !== undefined &&
      this.#keepsSessions &&
      services.some(({ spec }) => spec.sessionAffinity === 'ClientIP')
    ) {
      // One rule that the kernel does not take keeps out all others.
      this.#keepsSessions = (await faultOf(rules.apply(rulesOf(false)))) !== undefined;
      if (!this.#keepsSessions) log(`sessions are not kept, the kernel may lack "recent": ${fault}`);
      if (!this.#keepsSessions) fault = undefined;
    }
    this.#report(fault === undefined ? wanted.faults : [...wanted.faults, fault]);
    return fault === undefined;
  }

  #report(lines: readonly string[]): void {
    for (const line of lines) if (!this.#reported.has(line)) this.#options.log(line);
    this.#reported = new Set(lines);
  }
}

async function faultOf(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
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
