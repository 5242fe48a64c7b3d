import { describeFault, fail, ok } from '../core/fault.ts';
import type { Fault, Result } from '../core/fault.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Registrations } from '../ports/registrations.ts';
import type { ClusterRegistration, NodeRegistration } from '../wire/settings.ts';
import type { ClusterDeps } from './deps.ts';

type Clusters = ReadonlyMap<string, ClusterDeps>;

/** The clusters of the settings and of the registrations, as they are now. */
export interface RegisteredClusters {
  /**
   * By the UID of the cluster; each answer is a snapshot that never changes. Asks at most every 20 seconds, whoever
   * calls; every ten while a node is on its way out. A fault only while nothing has been read yet; later the last good
   * answer is used, with a warning each time.
   */
  read(): Promise<Result<Clusters>>;
  /**
   * The same, for a caller whose cluster `read` does not know: it may have been registered just now. Asks at most twice
   * a second, whoever calls and however often.
   */
  readForUnknown(): Promise<Result<Clusters>>;
  /**
   * A cluster as it is registered now, by its UID and an answer that was asked for after the call, whatever `read`
   * remembers. A fault when it is not, and when nobody knows.
   */
  confirmCluster(uid: string): Promise<Result<ClusterRegistration>>;
}

export interface RegisteredClustersInput {
  readonly registrations: Registrations;
  /** Those of the setting `CLUSTERS`: they win. */
  readonly fixed: readonly ClusterRegistration[];
  readonly compose: (registration: ClusterRegistration) => ClusterDeps;
  /** Whether a setting of this name is there. */
  readonly hasSetting: (name: string) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Whoever beats for the nodes, a timer every 15 s, has to hear of a node that another process has made before its first
 * Lease of 40 s is over: two beats are soon enough.
 */
const rereadMs = 20_000;
const unknownRereadMs = 500;
/** Somebody waits for the next state of a node that leaves. */
const leavingRereadMs = 10_000;
/** Without registrations nothing can be done; with the last good ones an invocation must not wait long for news. */
const firstReadMs = 8_000;
const rereadWaitMs = 3_000;

interface Known {
  readonly clusters: Clusters;
  readonly etag: string | undefined;
  readonly readAtMs: number;
  readonly rereadMs: number;
  /** Why they could not be read at `readAtMs`. */
  readonly fault: Fault | undefined;
}

export function createRegisteredClusters(input: RegisteredClustersInput): RegisteredClusters {
  let known: Known | undefined;
  let reading: Promise<Result<Clusters>> | undefined;
  const refresh = async (): Promise<Result<Clusters>> => {
    const next = await readOnce(input, known);
    if (!next.ok) return next;
    known = next.value;
    return ok(known.clusters);
  };
  const readNow = (): Promise<Result<Clusters>> => (reading ??= refresh().finally(() => (reading = undefined)));
  const readOlder = (ms: number): Promise<Result<Clusters>> =>
    known !== undefined && input.clock.monotonicMs() - known.readAtMs < ms
      ? Promise.resolve(ok(known.clusters))
      : readNow();
  return {
    read: () => readOlder(known?.rereadMs ?? 0),
    readForUnknown: () => readOlder(unknownRereadMs),
    confirmCluster: async (uid) => {
      if (input.fixed.some((cluster) => cluster.uid === uid)) return findCluster(input.fixed, uid);
      // One that is under way was asked for before.
      await reading;
      const clusters = await readNow();
      if (!clusters.ok) return clusters;
      if (known?.fault !== undefined) return fail(known.fault);
      return findCluster(
        [...clusters.value.values()].map(({ registration }) => registration),
        uid,
      );
    },
  };
}

/** The registration of a node of a cluster, or the fault that there is none. */
export function findNode({ nodes }: ClusterRegistration, node: string): Result<NodeRegistration> {
  const found = nodes.find(({ name }) => name === node);
  return found === undefined ? fail(notRegistered) : ok(found);
}

/** The registration of a cluster, or the fault that there is none. */
export function findCluster(clusters: readonly ClusterRegistration[], uid: string): Result<ClusterRegistration> {
  const found = clusters.find((cluster) => cluster.uid === uid);
  return found === undefined ? fail(notRegistered) : ok(found);
}

const notRegistered: Fault = { kind: 'denied', code: 'NodeNotRegistered', message: 'the node is not registered' };

const rereadAfter = (found: readonly ClusterRegistration[]): number =>
  found.some(({ nodes }) => nodes.some(({ state }) => state !== 'active')) ? leavingRereadMs : rereadMs;

async function readOnce(input: RegisteredClustersInput, known: Known | undefined): Promise<Result<Known>> {
  const { clock, log, registrations } = input;
  const read = await registrations.get(known?.etag, clock.timeout(known === undefined ? firstReadMs : rereadWaitMs));
  const readAtMs = clock.monotonicMs();
  if (!read.ok) {
    if (known === undefined) return read;
    log.warn('registrations could not be read; the last good ones are used', { fault: describeFault(read.fault) });
    return ok({ ...known, readAtMs, fault: read.fault });
  }
  if (read.value.kind === 'unchanged' && known !== undefined) return ok({ ...known, readAtMs, fault: undefined });
  const found = read.value.kind === 'read' ? read.value : { etag: undefined, clusters: [] };
  const clusters = merge(input, found.clusters, known?.clusters);
  return ok({ clusters, etag: found.etag, readAtMs, rereadMs: rereadAfter(found.clusters), fault: undefined });
}

/** What has not changed keeps its clients, with their tokens and connections. */
function merge(input: RegisteredClustersInput, found: readonly ClusterRegistration[], known: Clusters = new Map()) {
  const fixed = new Set(input.fixed.map((registration) => registration.uid));
  for (const { uid, name } of found.filter((registration) => fixed.has(registration.uid)))
    input.log.warn('cluster is registered twice; the setting CLUSTERS wins', { cluster: uid, name });
  const wanted = [...input.fixed, ...found.filter((registration) => !fixed.has(registration.uid))];
  const clusters = new Map(
    wanted.map((registration) => {
      const before = known.get(registration.uid);
      const isSame = before !== undefined && isEqual(before.registration, registration);
      return [registration.uid, isSame ? before : build(input, registration)] as const;
    }),
  );
  const isUnchanged =
    clusters.size === known.size && [...clusters].every(([uid, cluster]) => known.get(uid) === cluster);
  return isUnchanged ? known : clusters;
}

/** Both were read by the same schema, which gives their members the same order. */
const isEqual = (one: ClusterRegistration, other: ClusterRegistration): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

function build(input: RegisteredClustersInput, registration: ClusterRegistration): ClusterDeps {
  const { auth, uid, name } = registration;
  // Not the setting's name: somebody may have put the token itself there.
  if (auth.kind === 'token' && !input.hasSetting(auth.setting))
    input.log.warn('the setting that auth.setting names is not there; the API server will refuse the app', {
      cluster: uid,
      name,
    });
  return input.compose(registration);
}
