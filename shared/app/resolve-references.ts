import pLimit from 'p-limit';
import { selectorKey } from '../core/kubernetes/trust-bundle.ts';
import type { TrustBundleSelector } from '../core/kubernetes/trust-bundle.ts';
import { defined } from '../core/defined.ts';
import { ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import type { References, ResolvedClaim, ResolvedReferences } from '../core/pod/translation.ts';
import type {
  EmptyServicesSecret,
  NoServicesCredential,
  ServicesCredential,
} from '../core/kubernetes/cluster-reach.ts';
import type { ConfigMapData, PodToken, SecretData, ServiceInfo } from '../core/kubernetes/references.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClusterApi, NodeApi, ObjectRef } from '../ports/node-api.ts';
import { SharedReads } from './shared-reads.ts';

const atOnce = 6;

/** Whom to ask, as the node and as the app itself, and the clock that says how old an answer is. */
export interface ReferenceReader {
  readonly api: NodeApi;
  readonly cluster: Pick<ClusterApi, 'getServicesCredential'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

interface NodeReads {
  readonly configMaps: SharedReads<ConfigMapData>;
  readonly secrets: SharedReads<SecretData>;
  readonly services: SharedReads<readonly ServiceInfo[]>;
  readonly trustBundles: SharedReads<readonly string[]>;
}

/** Pods of one template that come at once refer to the same objects. By the node's API, so that no node ever gets what another read. */
const reads = new WeakMap<NodeApi, NodeReads>();

/** All pods of a cluster have the same. */
const credentialReads = new WeakMap<
  ReferenceReader['cluster'],
  SharedReads<ServicesCredential | EmptyServicesSecret>
>();

/**
 * Reads what a pod refers to in its cluster, as its node; the token of the Services as the app itself. A name that does not exist is simply missing from the maps; any other fault
 * ends the whole, since a group must never be made from half of what the pod asks for.
 */
export async function resolveReferences(
  reader: ReferenceReader,
  namespace: string,
  references: References,
  signal: AbortSignal,
): Promise<Result<Omit<ResolvedReferences, 'images'>>> {
  const api = sharing(reader);
  const limit = pLimit(atOnce);
  const [configMaps, secrets, claims, services, trustBundles, credential, tokens] = await Promise.all([
    readAll(references.configMaps, (name) => limit(() => api.getConfigMap({ namespace, name }, signal))),
    readAll(references.secrets, (name) => limit(() => api.getSecret({ namespace, name }, signal))),
    readAll(references.claims, (name) => limit(() => readClaim(api, { namespace, name }, signal))),
    references.services ? readServices(api, namespace, signal) : ok<readonly ServiceInfo[]>([]),
    readTrustBundles(references.trustBundles, (selector) => limit(() => api.listTrustBundles(selector, signal))),
    readServicesCredential(reader, references.servicesSecret, signal),
    Promise.all(references.tokens.map((request) => limit(() => reader.api.createToken(request, signal)))),
  ]);
  if (!configMaps.ok) return configMaps;
  if (!secrets.ok) return secrets;
  if (!claims.ok) return claims;
  if (!services.ok) return services;
  if (!trustBundles.ok) return trustBundles;
  if (!credential.ok) return credential;
  const values: PodToken[] = [];
  for (const token of tokens) {
    if (!token.ok) return token;
    values.push(token.value);
  }
  return ok({
    configMaps: configMaps.value,
    secrets: secrets.value,
    claims: claims.value,
    services: services.value,
    trustBundles: trustBundles.value,
    tokens: values,
    ...defined({ servicesCredential: credential.value }),
  });
}

async function readServicesCredential(
  { cluster, clock }: ReferenceReader,
  secret: References['servicesSecret'],
  signal: AbortSignal,
): Promise<Result<ServicesCredential | NoServicesCredential | undefined>> {
  if (secret === undefined) return ok(undefined);
  const shared = credentialReads.get(cluster) ?? new SharedReads();
  credentialReads.set(cluster, shared);
  const read = await shared.get(`${secret.namespace}/${secret.name}`, clock.monotonicMs(), () =>
    cluster.getServicesCredential(secret, signal),
  );
  if (read.ok) return read;
  const { fault } = read;
  if (fault.kind === 'not-found') return ok({ missing: 'absent' });
  // Not a token of the app that the API server no longer takes, which is also denied.
  return fault.kind === 'denied' && fault.code === 'Forbidden' ? ok({ missing: 'denied' }) : read;
}

type SharedApi = Pick<
  NodeApi,
  | 'getConfigMap'
  | 'getSecret'
  | 'getPersistentVolumeClaim'
  | 'getPersistentVolume'
  | 'listServices'
  | 'listTrustBundles'
>;

/** A claim with what it leads to. What is not there yet is missing; another fault is that of the whole. */
async function readClaim(api: SharedApi, ref: ObjectRef, signal: AbortSignal): Promise<Result<ResolvedClaim>> {
  const claim = await api.getPersistentVolumeClaim(ref, signal);
  if (!claim.ok) return claim;
  // Of a volume that is not there a node is reported that it may not read it.
  if (claim.value.phase !== 'Bound') return ok({ claim: claim.value });
  const volume = await api.getPersistentVolume(claim.value.volumeName, signal);
  if (!volume.ok) return volume.fault.kind === 'not-found' ? ok({ claim: claim.value }) : volume;
  const known = { claim: claim.value, volume: volume.value };
  const { source, claimUid } = volume.value;
  // Another claim's volume, and another's key.
  if (claimUid !== claim.value.uid) return ok(known);
  if (source.kind !== 'azureFile' || source.secret === undefined) return ok(known);
  const secret = await api.getSecret(source.secret, signal);
  if (!secret.ok) return secret.fault.kind === 'not-found' ? ok(known) : secret;
  return ok({ ...known, secret: secret.value });
}

/** The same reads, but what was asked for within the last second is not asked for again. Tokens are each pod's own. */
function sharing({ api, clock }: ReferenceReader): SharedApi {
  const known = reads.get(api) ?? {
    configMaps: new SharedReads<ConfigMapData>(),
    secrets: new SharedReads<SecretData>(),
    services: new SharedReads<readonly ServiceInfo[]>(),
    trustBundles: new SharedReads<readonly string[]>(),
  };
  reads.set(api, known);
  const now = clock.monotonicMs();
  const keyOf = ({ namespace, name }: ObjectRef): string => `${namespace}/${name}`;
  return {
    getConfigMap: (ref, signal) => known.configMaps.get(keyOf(ref), now, () => api.getConfigMap(ref, signal)),
    getSecret: (ref, signal) => known.secrets.get(keyOf(ref), now, () => api.getSecret(ref, signal)),
    getPersistentVolumeClaim: (ref, signal) => api.getPersistentVolumeClaim(ref, signal),
    getPersistentVolume: (name, signal) => api.getPersistentVolume(name, signal),
    listServices: (namespace, signal) => known.services.get(namespace, now, () => api.listServices(namespace, signal)),
    listTrustBundles: (selector, signal) =>
      known.trustBundles.get(selectorKey(selector), now, () => api.listTrustBundles(selector, signal)),
  };
}

async function readAll<T>(
  names: readonly string[],
  read: (name: string) => Promise<Result<T>>,
): Promise<Result<ReadonlyMap<string, T>>> {
  const found = new Map<string, T>();
  const answers = await Promise.all(names.map(async (name) => ({ name, answer: await read(name) })));
  for (const { name, answer } of answers)
    if (answer.ok) found.set(name, answer.value);
    else if (answer.fault.kind !== 'not-found') return answer;
  return ok(found);
}

/** Where the API server serves none, the map has none. */
async function readTrustBundles(
  selectors: References['trustBundles'],
  read: (selector: TrustBundleSelector) => Promise<Result<readonly string[]>>,
): Promise<Result<ResolvedReferences['trustBundles']>> {
  const byKey = new Map(selectors.map((selector) => [selectorKey(selector), () => read(selector)]));
  return readAll([...byKey.keys()], async (key) => (await byKey.get(key)?.()) ?? ok([]));
}

/** Every pod sees `default/kubernetes`, whatever its namespace. */
async function readServices(
  api: SharedApi,
  namespace: string,
  signal: AbortSignal,
): Promise<Result<readonly ServiceInfo[]>> {
  const own = await api.listServices(namespace, signal);
  if (!own.ok || namespace === 'default') return own;
  const common = await api.listServices('default', signal);
  return common.ok ? ok([...own.value, ...common.value.filter((service) => service.name === 'kubernetes')]) : common;
}
