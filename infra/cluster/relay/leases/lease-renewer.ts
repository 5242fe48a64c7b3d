import type { KubernetesClient } from '../../../../shared/adapters/kubernetes/http.ts';
import { createOwnNodeApi } from '../../../../shared/adapters/kubernetes/nodes.ts';
import type { OwnNodeApi } from '../../../../shared/adapters/kubernetes/nodes.ts';
import { describeFault } from '../../../../shared/core/fault.ts';
import type { Result } from '../../../../shared/core/fault.ts';
import type { KubeNode, Lease } from '../../../../shared/core/kubernetes/node.ts';
import { leaseRenewal } from '../../../../shared/core/node/lease-renewal.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import type { Term } from '../election/term.ts';
import type { RelayMeter } from '../metrics/relay-metrics.ts';
import { writeNodeEvent } from '../node-event.ts';
import { sleep } from '../sleep.ts';
import { planRenewal, nextReadInMs, renewed, startRenewal } from './renewal-plan.ts';
import type { LeaseReading, RenewalState } from './renewal-plan.ts';

export interface LeaseRenewerOptions {
  readonly client: KubernetesClient;
  readonly node: string;
  /** Calls the app. */
  readonly tick: () => void;
  /** Nothing is written when it is over. */
  readonly term: Term;
  /** A node that is taken out for good needs no renewal. */
  readonly isRemoved: () => boolean;
  readonly log: Log;
  readonly meter: Pick<RelayMeter, 'leaseRenewed'>;
}

/** Watches one node's Lease and Node, and keeps the Lease alive when nobody else does. Never creates either. */
export class LeaseRenewer {
  readonly #options: LeaseRenewerOptions;
  readonly #api: OwnNodeApi;
  #state: RenewalState;
  #changedAt = performance.now();

  constructor(options: LeaseRenewerOptions) {
    this.#options = options;
    this.#api = createOwnNodeApi(options.client, options.node);
    this.#state = startRenewal(performance.now());
  }

  /** Since the Lease was last seen to change, whoever renewed it; at first, since we look. */
  get leaseAgeMs(): number {
    return performance.now() - this.#changedAt;
  }

  /** Runs until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!this.#options.isRemoved()) await this.#round(signal);
      await sleep(nextReadInMs(this.#state, performance.now()), signal);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { node: name, tick, log } = this.#options;
    const [node, lease] = await Promise.all([this.#api.getNode(signal), this.#api.getLease(signal)]);
    if (signal.aborted || !this.#options.term.isHeld()) return;
    const { state, actions } = planRenewal(this.#state, readingOf(node, lease), performance.now());
    if (state.renewTimeMicros !== this.#state.renewTimeMicros) this.#changedAt = performance.now();
    this.#state = state;
    if (actions.tick) {
      log.warn('the Lease is not renewed, or the Node is gone: the app is called', { node: name });
      tick();
    }
    if (actions.renew && node.ok && lease.ok) await this.#renew(node.value, lease.value, signal);
    if (actions.announce) await this.#announce(signal);
  }

  async #renew(node: KubeNode, lease: Lease, signal: AbortSignal): Promise<void> {
    const { node: nodeName, client, log, meter } = this.#options;
    // From the answer just read: never ahead of the API server.
    const serverNow = client.clock.now();
    if (serverNow === undefined) return;
    const renewal = leaseRenewal({ lease, nodeName, nodeUid: node.metadata.uid, serverNow, minimumAgeMs: 0 });
    if (renewal.kind !== 'update') return;
    const written = await this.#api.updateLease(renewal.lease, signal);
    if (written.ok) {
      this.#state = renewed(this.#state, written.value.renewTimeMicros);
      this.#changedAt = performance.now();
      meter.leaseRenewed(nodeName);
    } else log.warn('the Lease could not be renewed', { node: nodeName, fault: describeFault(written.fault) });
  }

  async #announce(signal: AbortSignal): Promise<void> {
    const { node, log } = this.#options;
    log.warn('the relay renews the Lease', { node });
    const message = 'The function app did not renew the Lease for 30 seconds: the relay does, for at most 10 minutes.';
    await writeNodeEvent(this.#options, { node, type: 'Warning', reason: 'LeaseRenewedByRelay', message }, signal);
  }
}

function readingOf(node: Result<KubeNode>, lease: Result<Lease>): LeaseReading {
  return {
    node: node.ok ? 'present' : absence(node.fault.kind),
    lease: lease.ok ? { renewTimeMicros: lease.value.renewTimeMicros } : absence(lease.fault.kind),
  };
}

const absence = (kind: string): 'absent' | 'unknown' => (kind === 'not-found' ? 'absent' : 'unknown');
