import { readFileSync } from 'node:fs';
import { defined } from '../../../shared/core/defined.ts';
import type { KubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import type { Log } from '../../../shared/ports/log.ts';
import { AppClient } from './app/app-client.ts';
import type { RelayConfig } from './config.ts';
import { addressOf, ownIdentity } from './election/identity.ts';
import { Elector } from './election/elector.ts';
import { endlessTerm } from './election/term.ts';
import type { Term } from './election/term.ts';
import { openHealthPort } from './health-port.ts';
import { KubeletPort } from './kubelet/kubelet-port.ts';
import type { MetricsDoor } from './kubelet/metrics-door.ts';
import { kubernetesClient, userAgent } from './kubernetes-client.ts';
import { Reviews } from './kubelet/reviews.ts';
import { StreamSessions } from './kubelet/stream-sessions.ts';
import { startLeading } from './leading.ts';
import type { Leading } from './leading.ts';
import { RelayMetrics } from './metrics/relay-metrics.ts';
import { sleep } from './sleep.ts';
import { relayTelemetry } from './telemetry.ts';
import { tokenFile } from './token-file.ts';

/** A relay that serves. */
export interface Relay {
  /** Of each node's kubelet API. */
  readonly ports: Readonly<Record<string, number>>;
  readonly healthPort: number;
  /**
   * Says `not ready`, ends what the leader does and leaves the Lease to others, then ends ports and timers; resolves when
   * nothing is left. Safe to repeat.
   */
  close(): Promise<void>;
}

type End = () => Promise<void> | void;

/** A Service takes a moment to leave out a replica that goes: so long others still find its ports. */
const lingerMs = 1500;

/** Starts everything. Rejects, leaving nothing behind, when a file can't be read or a port is taken. */
export async function startRelay(config: RelayConfig, log: Log): Promise<Relay> {
  const state: RelayState = { stop: new AbortController(), leading: undefined, elector: undefined };
  const ends: End[] = [];
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    state.stop.abort();
    closing ??= closeAll(ends);
    return closing;
  };
  try {
    return { ...(await start(config, { log, state, ends })), close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface RelayState {
  readonly stop: AbortController;
  /** Undefined while another replica leads. */
  leading: Leading | undefined;
  /** Undefined where there is no election. */
  elector: Elector | undefined;
}

interface Starting {
  readonly log: Log;
  readonly state: RelayState;
  /** What is to be ended, in the order of starting. */
  readonly ends: End[];
}

async function start(config: RelayConfig, { log, state, ends }: Starting): Promise<Omit<Relay, 'close'>> {
  const client = kubernetesClient(config);
  ends.push(() => client.close());
  const app = appClient(config);
  ends.push(() => app.close());
  const nodes = config.nodes.map(({ name }) => name);
  const meter = new RelayMetrics(() => state.leading?.gauges(), nodes);
  const ports = await openKubeletPorts(config, { client, app, log, meter, ends, state });
  let isStarted = false;
  const isReady = (): boolean => isStarted && !state.stop.signal.aborted && state.leading?.isListed() !== false;
  const health = await openHealthPort({ isReady, metrics: meter }, config.health);
  ends.push(() => {
    health.close();
    health.closeAllConnections();
  });
  const telemetry = relayTelemetry(process.env, log);
  const lead = async (term: Term, signal: AbortSignal): Promise<void> => {
    state.leading = startLeading({ client, app, nodes, term, log, meter, telemetry }, signal);
    await state.leading.ended;
    state.leading = undefined;
  };
  const running = elect(config, { client, log, lead, state });
  isStarted = true;
  ends.push(async () => {
    const lingered = config.leaderElection === undefined ? undefined : sleep(lingerMs, new AbortController().signal);
    await Promise.all([running, lingered]);
  });
  const address = health.address();
  return { ports, healthPort: typeof address === 'object' ? (address?.port ?? 0) : 0 };
}

interface Electing {
  readonly client: KubernetesClient;
  readonly log: Log;
  readonly lead: (term: Term, signal: AbortSignal) => Promise<void>;
  readonly state: RelayState;
}

/** Leads when it is this replica's turn, until `signal` aborts. Never rejects. */
function elect({ leaderElection: lease }: RelayConfig, { client, log, lead, state }: Electing): Promise<void> {
  const { signal } = state.stop;
  if (lease === undefined) return lead(endlessTerm, signal);
  const elector: Elector = new Elector({
    client,
    lease,
    identity: ownIdentity(),
    log,
    lead: (stop) => lead(elector.term, stop),
  });
  state.elector = elector;
  return elector.run(signal);
}

interface Serving {
  readonly client: KubernetesClient;
  readonly app: AppClient;
  readonly log: Log;
  readonly meter: RelayMetrics;
  readonly ends: End[];
  readonly state: RelayState;
}

async function openKubeletPorts(
  config: RelayConfig,
  { client, app, log, meter, ends, state }: Serving,
): Promise<Record<string, number>> {
  const reviews = new Reviews(client);
  const metrics: MetricsDoor = {
    measures: () => state.leading?.measures,
    leaderAddress: () => addressOf(state.elector?.holder ?? ''),
  };
  const sessions = new StreamSessions();
  const { caFile } = config.aci;
  const aciCaPem = caFile === undefined ? undefined : readFileSync(caFile, 'utf8');
  const ports: Record<string, number> = {};
  for (const node of config.nodes) {
    const context = { node: node.name, client, app, log, metrics, sessions, ...defined({ aciCaPem }) };
    const files = { ...(node.serving ?? config.serving), clientCaFile: config.kubeletClientCaFile };
    const where = { address: config.listenAddress, port: node.port };
    const port = await KubeletPort.open({ context, reviews, files, meter, ...where });
    ends.push(() => port.close());
    ports[node.name] = port.port;
  }
  // Before the ports: clients learn why.
  ends.push(() => sessions.close());
  return ports;
}

async function closeAll(ends: readonly End[]): Promise<void> {
  for (const end of ends.toReversed()) await end();
}

const appClient = ({ app, clusterUid }: RelayConfig): AppClient =>
  new AppClient({ url: app.url, caFile: app.caFile, getToken: tokenFile(app.tokenFile), clusterUid, userAgent });
