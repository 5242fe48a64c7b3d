import { randomUUID } from 'node:crypto';
import { fail, ok } from '../../../shared/core/fault.ts';
import type { Result } from '../../../shared/core/fault.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import type { EmptyServicesSecret, ServicesCredential } from '../../../shared/core/kubernetes/cluster-reach.ts';
import { isShort, longerRequest, longerToken } from '../../../shared/core/kubernetes/references.ts';
import type {
  ConfigMapData,
  PodToken,
  SecretData,
  ServiceInfo,
  TokenRequest,
} from '../../../shared/core/kubernetes/references.ts';
import type { TrustBundleSelector } from '../../../shared/core/kubernetes/trust-bundle.ts';
import type { ClaimData, VolumeData } from '../../../shared/core/kubernetes/storage.ts';
import type { ObjectRef } from '../../../shared/ports/node-api.ts';
import {
  parseConfigMap,
  parseResourceVersion,
  parseSecret,
  parseService,
  parseServicesSecret,
} from '../../../shared/wire/kubernetes/references.ts';
import { parseTokenRequest } from '../../../shared/wire/kubernetes/token.ts';
import { authorize } from './api-server/authorization.ts';
import { ensureNamespace } from './api-server/bootstrap.ts';
import type { ClusterState } from './api-server/cluster-state.ts';
import { instant, namespaceOf } from './api-server/json-access.ts';
import { forbidden, notFound } from './api-server/status-error.ts';
import { apiVersionOf, configMaps, secrets, services } from './api-server/resources.ts';
import type { Resource } from './api-server/resources.ts';
import { requestToken } from './api-server/tokens.ts';
import { nodeUser } from './api-server/user.ts';
import { faultOf, resultOf } from './cluster-faults.ts';

/** What pods refer to. Names map to values; a test writes them. */
export interface ClusterReferences {
  readonly putSecret: (ref: ObjectRef, data: Readonly<Record<string, string>>, type?: string) => void;
  readonly putConfigMap: (ref: ObjectRef, data: Readonly<Record<string, string>>) => void;
  readonly putService: (service: ServiceInfo) => void;
  /** With the volume that the claim is bound to. */
  readonly putClaim: (ref: ObjectRef, claim: Partial<ClaimData>, volume?: Omit<VolumeData, 'claimUid'>) => void;
  /** Until the first they are not served, as by default: the API is behind feature gates. */
  readonly putTrustBundle: (name: string, signerName: string, pem: string) => void;
  /** Of a signer all: labels are not known here. */
  readonly listTrustBundles: (selector: TrustBundleSelector) => Result<readonly string[]>;
  readonly getPersistentVolumeClaim: (ref: ObjectRef) => Result<ClaimData>;
  readonly getPersistentVolume: (name: string) => Result<VolumeData>;
  /** As a node: only what its pods name is readable, whether it exists or not. */
  readonly getSecret: (node: string, ref: ObjectRef) => Result<SecretData>;
  readonly getConfigMap: (node: string, ref: ObjectRef) => Result<ConfigMapData>;
  readonly getReferenceVersion: (node: string, kind: 'configMap' | 'secret', ref: ObjectRef) => Result<string>;
  /** As the app, whose right is that of the Role `services-credential`. */
  readonly getServicesCredential: (ref: ObjectRef) => Result<ServicesCredential | EmptyServicesSecret>;
  /** Those that have a cluster IP. */
  readonly listServices: (namespace: string) => readonly ServiceInfo[];
  /** As a node: bound to a pod of its own, for that pod's ServiceAccount. */
  readonly createToken: (node: string, request: TokenRequest) => Result<PodToken>;
}

export function createClusterReferences(state: ClusterState): ClusterReferences {
  const put = (resource: Resource, ref: ObjectRef, rest: JsonObject): void => {
    ensureNamespace(state, ref.namespace);
    const { namespace, name } = ref;
    state.store.put(resource, {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: { name, namespace, uid: randomUUID(), creationTimestamp: instant(state.now()) },
      ...rest,
    });
  };
  // What a real API server does with them is tested on one; here they are only reported.
  const claims = new Map<string, ClaimData>();
  const volumes = new Map<string, VolumeData>();
  const trustBundles = new Map<string, { readonly signerName: string; readonly pem: string }>();
  const reported = <T>(value: T | undefined, kind: string, name: string): Result<T> =>
    value === undefined ? fail(faultOf(notFound({ kind, name }))) : ok(value);
  return {
    putClaim: ({ namespace, name }, claim, volume) => {
      const volumeName = volume?.name ?? '';
      const phase = volume === undefined ? 'Pending' : 'Bound';
      const uid = claim.uid ?? randomUUID();
      claims.set(`${namespace}/${name}`, {
        uid,
        phase,
        volumeName,
        isDeleted: false,
        storageClassName: '',
        ownerUids: [],
        ...claim,
      });
      if (volume !== undefined) volumes.set(volume.name, { ...volume, claimUid: uid });
    },
    putTrustBundle: (name, signerName, pem) => {
      trustBundles.set(name, { signerName, pem });
    },
    listTrustBundles: (selector) =>
      trustBundles.size === 0
        ? fail({ kind: 'not-found', code: 'NotServed', message: 'the API server serves no ClusterTrustBundles' })
        : ok(
            [...trustBundles]
              .filter(([name, { signerName }]) =>
                selector.kind === 'name' ? selector.name === name : selector.signerName === signerName,
              )
              .map(([, { pem }]) => pem),
          ),
    getPersistentVolumeClaim: ({ namespace, name }) =>
      reported(claims.get(`${namespace}/${name}`), 'persistentvolumeclaims', name),
    getPersistentVolume: (name) => reported(volumes.get(name), 'persistentvolumes', name),
    putSecret: (ref, data, type = 'Opaque') => put(secrets, ref, { type, data: encoded(data) }),
    putConfigMap: (ref, data) => put(configMaps, ref, { data }),
    putService: ({ namespace, name, clusterIP, ports }) =>
      put(services, { namespace, name }, { spec: { clusterIP, ports: ports.map((port) => ({ ...port })) } }),
    getSecret: (node, ref) => read(state, { node, resource: secrets, ref }, parseSecret),
    getConfigMap: (node, ref) => read(state, { node, resource: configMaps, ref }, parseConfigMap),
    getReferenceVersion: (node, kind, ref) =>
      read(state, { node, resource: kind === 'secret' ? secrets : configMaps, ref }, parseResourceVersion),
    getServicesCredential: (ref) => {
      const found = state.store.get(secrets, ref);
      if (found === undefined) return fail(faultOf(notFound({ kind: secrets.plural, name: ref.name })));
      return resultOf({ ok: true, value: found }, parseServicesSecret);
    },
    listServices: (namespace) =>
      [...state.store.all(services)]
        .filter((service) => namespaceOf(service) === namespace)
        .flatMap((service) => parseService(service) ?? [])
        .filter(({ clusterIP }) => clusterIP !== '' && clusterIP !== 'None'),
    createToken: (node, request) => {
      const { namespace, serviceAccountName: name } = request;
      const refused = denied(state, node, {
        verb: 'create',
        resource: 'serviceaccounts',
        subresource: 'token',
        namespace,
        name,
      });
      if (refused !== undefined) return fail(refused);
      const ask = (wanted: TokenRequest): Result<PodToken> =>
        resultOf(requestToken(state, { user: nodeUser(node), namespace, name }, tokenBody(wanted)), parseTokenRequest);
      const first = ask(request);
      if (!first.ok || !isShort(request, first.value)) return first;
      return longerToken(first.value, ask(longerRequest(request)));
    },
  };
}

const encoded = (data: Readonly<Record<string, string>>): JsonObject =>
  Object.fromEntries(Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString('base64')]));

const tokenBody = ({ audiences, expirationSeconds, pod }: TokenRequest): JsonObject => ({
  spec: {
    audiences,
    expirationSeconds,
    boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid },
  },
});

function denied(
  state: ClusterState,
  node: string,
  what: { verb: string; resource: string; subresource: string; namespace: string; name: string },
) {
  const decision = authorize(state, nodeUser(node), { group: '', ...what });
  return decision.allowed ? undefined : faultOf(forbidden({ kind: what.resource, name: what.name }, decision.why));
}

function read<T>(
  state: ClusterState,
  { node, resource, ref }: { readonly node: string; readonly resource: Resource; readonly ref: ObjectRef },
  parse: (json: unknown) => T | undefined,
): Result<T> {
  const refused = denied(state, node, { verb: 'get', resource: resource.plural, subresource: '', ...ref });
  if (refused !== undefined) return fail(refused);
  const found = state.store.get(resource, ref);
  if (found === undefined) return fail(faultOf(notFound({ kind: resource.plural, name: ref.name })));
  return resultOf({ ok: true, value: found }, parse);
}
