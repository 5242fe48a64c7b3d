import { fail, ok } from '../../core/fault.ts';
import type { Fault, Result } from '../../core/fault.ts';
import type { Pod } from '../../core/kubernetes/pod.ts';
import type { ConfigMapData, SecretData, ServiceInfo, TokenRequest } from '../../core/kubernetes/references.ts';
import { listReferences } from '../../core/pod/references.ts';
import type { ObjectRef } from '../../ports/node-api.ts';
import { forbidden, notFound } from './cluster-faults.ts';

/** What pods refer to. Names map to values; a test writes them. */
export interface ClusterReferences {
  readonly putSecret: (ref: ObjectRef, data: Readonly<Record<string, string>>, type?: string) => void;
  readonly putConfigMap: (ref: ObjectRef, data: Readonly<Record<string, string>>) => void;
  readonly putService: (service: ServiceInfo) => void;
  /** As a node whose pods are `pods`: only what they name is readable, whether it exists or not. */
  readonly getSecret: (ref: ObjectRef, pods: readonly Pod[]) => Result<SecretData>;
  readonly getConfigMap: (ref: ObjectRef, pods: readonly Pod[]) => Result<ConfigMapData>;
  readonly listServices: (namespace: string) => readonly ServiceInfo[];
  /** Bound to a pod of the node, for its own ServiceAccount. */
  readonly createToken: (request: TokenRequest, pods: readonly Pod[]) => Result<string>;
}

export function createClusterReferences(): ClusterReferences {
  const secrets = new Map<string, SecretData>();
  const configMaps = new Map<string, ConfigMapData>();
  const services: ServiceInfo[] = [];
  let tokens = 0;
  return {
    putSecret: (ref, data, type = 'Opaque') => void secrets.set(keyOf(ref), { type, data: bytes(data) }),
    putConfigMap: (ref, data) => void configMaps.set(keyOf(ref), { data, binaryData: {} }),
    putService: (service) => void services.push(service),
    getSecret: (ref, pods) => read('secrets', secrets, { ref, pods }),
    getConfigMap: (ref, pods) => read('configmaps', configMaps, { ref, pods }),
    listServices: (namespace) => services.filter((service) => service.namespace === namespace),
    createToken: ({ namespace, serviceAccountName, pod }, pods) => {
      const found = pods.find(({ metadata }) => metadata.namespace === namespace && metadata.name === pod.name);
      const account =
        found === undefined || found.spec.serviceAccountName === '' ? 'default' : found.spec.serviceAccountName;
      if (found?.metadata.uid !== pod.uid || account !== serviceAccountName)
        return fail(forbidden('node requested token bound to a pod that is not scheduled to it'));
      return ok(`token-${(tokens += 1)}-of-${namespace}-${serviceAccountName}`);
    },
  };
}

const keyOf = (ref: ObjectRef): string => `${ref.namespace}/${ref.name}`;
const encoder = new TextEncoder();
const bytes = (data: Readonly<Record<string, string>>): Readonly<Record<string, Uint8Array>> =>
  Object.fromEntries(Object.entries(data).map(([name, text]) => [name, encoder.encode(text)]));

function read<T>(
  kind: 'secrets' | 'configmaps',
  objects: ReadonlyMap<string, T>,
  { ref, pods }: { readonly ref: ObjectRef; readonly pods: readonly Pod[] },
): Result<T> {
  if (!isNamed(kind, ref, pods)) return fail(noRelationship(kind, ref));
  const found = objects.get(keyOf(ref));
  return found === undefined ? fail(notFound(kind, ref.name)) : ok(found);
}

/** The Node authorizer's graph, for these kinds. */
function isNamed(kind: 'secrets' | 'configmaps', ref: ObjectRef, pods: readonly Pod[]): boolean {
  return pods.some((pod) => {
    const names = listReferences(pod, {});
    const wanted = kind === 'secrets' ? names.secrets : names.configMaps;
    return pod.metadata.namespace === ref.namespace && wanted.includes(ref.name);
  });
}

const noRelationship = (kind: string, ref: ObjectRef): Fault =>
  forbidden(`${kind} "${ref.name}" is forbidden: no relationship found between node and this object`);
