import { randomBytes } from 'node:crypto';
import { AddressPool } from './addresses.ts';
import { answerArm } from './arm.ts';
import { createRealClock, sleep } from './clock.ts';
import type { Clock } from './clock.ts';
import { ExecEndpoint } from './exec/endpoint.ts';
import { pickExecKnobs } from './exec/knobs.ts';
import { FaultTable } from './faults.ts';
import { GroupStore } from './group-store.ts';
import { answerIdentity, normalizeAudience, TokenRegistry } from './identity.ts';
import { Journal } from './journal.ts';
import type { ArmRequest, ArmResponse } from './json.ts';
import { RateLimits } from './limits.ts';
import { Monitor } from './monitor/monitor.ts';
import { noGroupNetworks } from './network/group-networks.ts';
import type { GroupNetworks } from './network/group-networks.ts';
import { pickNetworkKnobs } from './network/knobs.ts';
import { VirtualNetwork } from './network/virtual-network.ts';
import { createTimer, defaultOptions } from './options.ts';
import type { EmulatorOptions } from './options.ts';
import { socketHttpProbe } from './probes.ts';
import type { HttpProbe } from './probes.ts';
import { defaultPrincipal } from './rbac.ts';
import type { Principal } from './rbac.ts';
import type { ContainerRuntime } from './runtime/runtime.ts';
import { normalizeLocation, releaseGroup } from './state.ts';
import type { EmulatorState } from './state.ts';

export interface CoreOptions {
  readonly runtime: ContainerRuntime;
  readonly subscriptionId: string;
  readonly resourceGroups: readonly string[];
  readonly locations: readonly string[];
  readonly clock?: Clock;
  /** Knobs that differ from `defaultOptions`. */
  readonly knobs?: Partial<EmulatorOptions>;
  /** Default: one principal with the app's roles. */
  readonly principals?: readonly Principal[];
  /** Subnets that the default principal may put groups in, besides those of the knobs. */
  readonly joinableSubnets?: readonly string[];
  /** User-assigned identities that the default principal may give to groups. */
  readonly assignableIdentities?: readonly string[];
  readonly httpProbe?: HttpProbe;
  /** What is done in the networks of the groups; nothing unless given. Closed with the core. */
  readonly groupNetworks?: GroupNetworks;
  readonly identityHeader?: string;
  readonly log?: (message: string) => void;
}

/** The emulator without sockets: requests are function calls. */
export interface EmulatorCore {
  readonly state: EmulatorState;
  readonly identityHeader: string;
  arm(request: ArmRequest): Promise<ArmResponse>;
  identity(request: ArmRequest): Promise<ArmResponse>;
  /** Names the URLs under which ARM is reached: the audiences of valid tokens. */
  setArmUrls(urls: readonly string[]): void;
  /** Deletes all groups and forgets faults, journal, runs and limits; tokens stay valid. */
  reset(): Promise<void>;
  /** `reset`, and closes the runtime. Idempotent. */
  close(): Promise<void>;
}

/** Builds the emulator's state and doors; nothing listens yet. */
export function createCore(options: CoreOptions): EmulatorCore {
  const audiences = new Set<string>();
  const state = createState(options, audiences);
  const identityHeader = options.identityHeader ?? randomBytes(24).toString('hex');
  let closing: Promise<void> | undefined;
  return {
    state,
    identityHeader,
    arm: (request) => answerArm(state, request),
    identity: (request) => answerIdentityWithFaults(state, identityHeader, request),
    setArmUrls: (urls) => {
      for (const url of urls) audiences.add(normalizeAudience(url));
    },
    reset: () => reset(state),
    close: () =>
      (closing ??= reset(state)
        .then(() => state.monitor.close())
        .then(() => state.network.groups.close())
        .then(() => state.runtime.close())),
  };
}

function createState(options: CoreOptions, audiences: ReadonlySet<string>): EmulatorState {
  const knobs: EmulatorOptions = { ...defaultOptions, ...options.knobs };
  const { runtime, subscriptionId, resourceGroups, assignableIdentities: identities = [] } = options;
  const clock = options.clock ?? createRealClock();
  const store = new GroupStore(clock, knobs.operationRetentionMs);
  const journal = new Journal(knobs.journalSize);
  const addresses = new AddressPool(knobs.subnets);
  const log = options.log ?? (() => {});
  const groups = options.groupNetworks ?? noGroupNetworks(`the runtime ${runtime.kind} has no network for each`, log);
  const network = new VirtualNetwork({ groups, knobs: pickNetworkKnobs(knobs), subnets: knobs.subnets });
  const subnets = [...knobs.subnets.map((subnet) => subnet.id), ...(options.joinableSubnets ?? [])];
  const extra = new Set(knobs.extraAudiences.map(normalizeAudience));
  const life = {
    clock,
    runtime,
    options: knobs,
    store,
    journal,
    addresses,
    httpProbe: options.httpProbe ?? socketHttpProbe,
    draw: createTimer(knobs),
    log,
    network,
  };
  return {
    options: knobs,
    clock,
    runtime,
    store,
    journal,
    addresses,
    network,
    monitor: new Monitor(clock, store),
    exec: new ExecEndpoint(clock, pickExecKnobs(knobs)),
    life,
    subscriptionId,
    limits: new RateLimits(clock, knobs),
    faults: new FaultTable(),
    tokens: new TokenRegistry(clock, knobs.tokenLifetimeSeconds),
    resourceGroups: new Map(resourceGroups.map((name) => [name.toLowerCase(), name])),
    locations: options.locations.map(normalizeLocation),
    principals: options.principals ?? [
      defaultPrincipal({ subscription: subscriptionId, resourceGroups, subnets, identities }),
    ],
    isAudience: (audience) => {
      const wanted = normalizeAudience(audience);
      return audiences.has(wanted) || extra.has(wanted);
    },
    background: new Set(),
  };
}

async function answerIdentityWithFaults(
  state: EmulatorState,
  header: string,
  request: ArmRequest,
): Promise<ArmResponse> {
  const rule = state.faults.take('identity', request.method, request.url);
  if (rule?.delayMs !== undefined) await sleep(state.clock, rule.delayMs);
  if (rule?.drop !== undefined) return { status: 0, headers: {}, drop: true };
  if (rule?.status !== undefined || rule?.body !== undefined) {
    const { status = 200, retryAfterSeconds: retry, contentType = 'application/json' } = rule;
    const rawBody = rule.body ?? JSON.stringify({ statusCode: status, message: rule.message ?? 'Injected.' });
    const headers = { 'Content-Type': contentType, ...(retry === undefined ? {} : { 'Retry-After': String(retry) }) };
    return { status, headers, rawBody };
  }
  return answerIdentity(request, { header, principals: state.principals, tokens: state.tokens });
}

async function reset(state: EmulatorState): Promise<void> {
  for (const entry of state.store.all()) {
    state.store.remove(entry);
    releaseGroup(state, entry);
  }
  while (state.background.size > 0) await Promise.all(state.background);
  state.store.clear();
  state.exec.sessions.clear();
  state.faults.clear();
  state.limits.reset();
  state.journal.requests.clear();
  state.journal.runs.clear();
  state.journal.actions.clear();
}
