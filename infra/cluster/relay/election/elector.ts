import { startDeadline } from '../../../../shared/adapters/kubernetes/deadline.ts';
import { request } from '../../../../shared/adapters/kubernetes/http.ts';
import type { KubernetesClient } from '../../../../shared/adapters/kubernetes/http.ts';
import { apiPath } from '../../../../shared/adapters/kubernetes/path.ts';
import type { Fault, Result } from '../../../../shared/core/fault.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import { formatMicroTime } from '../../../../shared/wire/kubernetes/micro-time.ts';
import { sleep } from '../sleep.ts';
import {
  decideElection,
  heldBy,
  observe,
  released,
  renewDeadlineMs,
  retryPeriodMs,
  termEndsAt,
} from './decide-election.ts';
import type { Observed } from './decide-election.ts';
import { formatElectionPatch, parseElectionRecord } from './election-record.ts';
import type { ElectionRecord } from './election-record.ts';
import { FaultLog } from './fault-log.ts';
import type { Term } from './term.ts';

export interface ElectorOptions {
  readonly client: KubernetesClient;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Of this process, and of no other ever. */
  readonly identity: string;
  readonly log: Log;
  /** The leader's work: starts when the Lease is taken, and ends, leaving nothing behind, soon after `signal` aborts. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
}

const releaseTimeoutMs = 1500;
/** Two that lost to each other must not meet again at once. */
const conflictMs = 200;

/**
 * Leader election by a Lease, as client-go does it: renewed every 2 s, given up when it could not be for 10 s, taken over
 * when it was not seen to change for 15 s. The Lease is never created. The term is counted from *before* the renewal that
 * was taken, so that a leader stops 5 s or more before another may begin, even if it was frozen meanwhile.
 */
export class Elector {
  readonly #options: ElectorOptions;
  readonly #path: string;
  readonly #faults: FaultLog;
  #observed: Observed | undefined;
  /** Monotonic ms; in the past: we do not lead. */
  #termEndsAt = -Infinity;
  #leading: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  constructor(options: ElectorOptions) {
    this.#options = options;
    const { namespace, name } = options.lease;
    this.#path = apiPath('apis', 'coordination.k8s.io', 'v1', 'namespaces', namespace, 'leases', name);
    this.#faults = new FaultLog(options.log, `${namespace}/${name}`);
  }

  /** False from the moment at which the term ended, though nobody has noticed yet. */
  get isLeading(): boolean {
    return performance.now() < this.#termEndsAt;
  }

  /** Who holds the Lease, as it was last read or written; empty: nobody, or it is not known. */
  get holder(): string {
    return this.#observed?.record.holderIdentity ?? '';
  }

  /** For those who act as the leader. */
  readonly term: Term = { isHeld: () => this.isLeading };

  /** Runs until `signal` aborts; then ends the leader's work, and leaves the Lease to others. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#endLateTerm();
      const waitMs = await this.#turn(signal);
      await this.#endLateTerm();
      const leftMs = this.isLeading ? this.#termEndsAt - performance.now() : Infinity;
      await sleep(Math.min(waitMs, leftMs), signal);
    }
    const held = this.isLeading;
    await this.#stepDown('the relay stops');
    if (held) await this.#release();
  }

  /** One try to read, take or renew; how long to wait for the next. */
  async #turn(signal: AbortSignal): Promise<number> {
    const deadline = startDeadline(signal, this.isLeading ? this.#termEndsAt - performance.now() : renewDeadlineMs);
    try {
      const renewed =
        this.isLeading && this.#observed !== undefined ? await this.#hold(this.#observed, deadline.signal) : undefined;
      if (renewed?.ok === true) return retryPeriodMs;
      if (renewed !== undefined && renewed.fault.kind !== 'conflict') return this.#failed(renewed.fault, signal);
      const read = await this.#send({ method: 'GET' }, deadline.signal);
      if (!read.ok) return this.#failed(read.fault, signal);
      this.#observed = observe(this.#observed, read.value, performance.now());
      return await this.#decide(this.#observed, deadline.signal, signal);
    } finally {
      deadline.end();
    }
  }

  async #decide(observed: Observed, deadline: AbortSignal, signal: AbortSignal): Promise<number> {
    const decision = decideElection(observed, this.#options.identity, performance.now());
    switch (decision.kind) {
      case 'wait':
        this.#faults.passed();
        await this.#stepDown(`${observed.record.holderIdentity} leads`);
        return decision.forMs;
      case 'renew':
      case 'acquire': {
        const held = await this.#hold(observed, deadline);
        if (held.ok) return retryPeriodMs;
        return held.fault.kind === 'conflict' ? conflictMs * (1 + Math.random()) : this.#failed(held.fault, signal);
      }
    }
  }

  /** Writes the Lease as ours. The term begins before the request: the API server took it no sooner. */
  async #hold({ record }: Observed, signal: AbortSignal): Promise<Result<ElectionRecord>> {
    const sentAt = performance.now();
    const next = heldBy(record, this.#options.identity, microNow());
    const written = await this.#send({ method: 'PATCH', record: next }, signal);
    if (!written.ok) return written;
    this.#observed = observe(this.#observed, written.value, sentAt);
    this.#termEndsAt = termEndsAt(sentAt);
    this.#faults.passed();
    // A process that was frozen meanwhile may hold what is over already.
    if (this.isLeading) this.#start(written.value);
    return written;
  }

  #start({ leaseTransitions }: ElectionRecord): void {
    if (this.#leading !== undefined) return;
    const { identity, lead, log } = this.#options;
    log.info('this replica leads', { identity, leaseTransitions });
    const stop = new AbortController();
    this.#leading = { stop, ended: lead(stop.signal) };
  }

  async #endLateTerm(): Promise<void> {
    if (!this.isLeading) await this.#stepDown('the Lease could not be renewed in time');
  }

  async #stepDown(cause: string): Promise<void> {
    this.#termEndsAt = -Infinity;
    const leading = this.#leading;
    if (leading === undefined) return;
    this.#leading = undefined;
    this.#options.log.info('this replica no longer leads', { identity: this.#options.identity, cause });
    leading.stop.abort();
    await leading.ended;
  }

  async #release(): Promise<void> {
    if (this.#observed === undefined) return;
    const deadline = startDeadline(new AbortController().signal, releaseTimeoutMs);
    const record = released(this.#observed.record, microNow());
    const written = await this.#send({ method: 'PATCH', record }, deadline.signal);
    deadline.end();
    if (!written.ok) this.#faults.note(written.fault);
  }

  #failed(fault: Fault, signal: AbortSignal): number {
    if (!signal.aborted) this.#faults.note(fault);
    return fault.kind === 'throttled' ? Math.max(retryPeriodMs, fault.retryAfterMs) : retryPeriodMs;
  }

  #send(
    outgoing: { readonly method: 'GET' } | { readonly method: 'PATCH'; readonly record: ElectionRecord },
    signal: AbortSignal,
  ): Promise<Result<ElectionRecord>> {
    const body = outgoing.method === 'PATCH' ? { body: formatElectionPatch(outgoing.record) } : {};
    return request(
      this.#options.client,
      { method: outgoing.method, path: this.#path, ...body },
      parseElectionRecord,
      signal,
    );
  }
}

const microNow = (): string => formatMicroTime(Date.now() * 1000);
