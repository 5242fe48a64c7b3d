/** What each kind adds to the rules that all share: defaults, what a new object starts as, what makes it wrong. */
import { isJsonObject } from '../../../../shared/core/json.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { defaultPod, qosClass } from '../../../../shared/core/kubernetes/pod-defaults.ts';
import { inCanonicalForm } from '../../../../shared/core/kubernetes/quantities.ts';
import type { ClusterState } from './cluster-state.ts';
import {
  metaOf,
  nameOf,
  numberAt,
  objectAt,
  objectsAt,
  omit,
  specOf,
  statusOf,
  textAt,
  withDefaults,
  withMeta,
} from './json-access.ts';
import { admitPod } from './pod-admission.ts';
import { podFaults } from './pod-validation.ts';
import { badRequest, done } from './status-error.ts';
import type { FieldFault, StatusResult, StatusError } from './status-error.ts';
import { configMaps, leases, namespaces, nodes, pods, secrets, serviceAccounts, services } from './resources.ts';
import type { Resource } from './resources.ts';
import { defaultService, serviceFaults } from './service-kind.ts';
import { duplicate, invalidValue, keyFaults, unsupportedValue } from './validation.ts';

/** Fills in what is not said, of a new object as of a changed one. Idempotent. */
export function defaultsOf(resource: Resource, object: JsonObject): JsonObject {
  switch (resource) {
    case pods:
      return defaultPod(object);
    case services:
      return defaultService(object);
    case secrets:
      return decodedSecret(withDefaults(object, { type: 'Opaque' }));
    case namespaces:
      return namespaceDefaults(object);
    case nodes:
      return { ...object, status: inCanonicalForm(statusOf(object), 'capacity', 'allocatable') };
    case leases:
      // A struct of the server's, which is there even where nothing of it was said.
      return { ...object, spec: specOf(object) };
    default:
      return object;
  }
}

/** A new object as it is stored: `status` is nobody's to give, but for a Node. */
export function startOf(state: ClusterState, resource: Resource, object: JsonObject): StatusResult<JsonObject> {
  switch (resource) {
    case pods: {
      const pod = withMeta({ ...object, status: { phase: 'Pending', qosClass: qosClass(object) } }, { generation: 1 });
      return admitPod(state, pod);
    }
    case nodes:
      return done(newNode(object));
    case namespaces:
      return done({ ...object, status: { phase: 'Active' } });
    case services:
      return done({ ...withAddress(state, object), status: { loadBalancer: {} } });
    default:
      return done(resource.hasStatus ? omit(object, 'status') : object);
  }
}

/** What is wrong with an object that has its defaults. */
export function faultsOf(resource: Resource, object: JsonObject): readonly FieldFault[] {
  switch (resource) {
    case pods:
      return podFaults(object);
    case services:
      return serviceFaults(object);
    case nodes:
      return objectsAt(specOf(object), 'taints').flatMap(taintFaults);
    case configMaps:
      return Object.entries(objectAt(object, 'data')).flatMap(([key, value]) =>
        typeof value === 'string' ? [] : [invalidValue(`data[${key}]`, value, 'must be a string')],
      );
    default:
      return [];
  }
}

const microTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** What the real server cannot even decode: 400 instead of 422. */
export function decodingFault(resource: Resource, object: JsonObject): StatusError | undefined {
  const name = ['metadata', 'spec', 'status'].find(
    (member) => object[member] !== undefined && object[member] !== null && !isJsonObject(object[member]),
  );
  if (name !== undefined)
    return badRequest(
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ${name} is no object`,
    );
  if (resource === leases) {
    const times = [textAt(specOf(object), 'renewTime'), textAt(specOf(object), 'acquireTime')];
    const bad = times.find((time) => time !== '' && !microTime.test(time));
    if (bad !== undefined)
      return badRequest(
        `Lease in version "v1" cannot be handled as a Lease: parsing time "${bad}" as "2006-01-02T15:04:05.000000Z07:00"`,
      );
  }
  if (resource === secrets) {
    const bad = Object.entries(objectAt(object, 'data')).find(
      ([, value]) => typeof value !== 'string' || !base64.test(value),
    );
    // The value stays out of the message.
    if (bad !== undefined)
      return badRequest(`Secret in version "v1" cannot be handled as a Secret: illegal base64 data of key "${bad[0]}"`);
  }
  return undefined;
}

/** Whether an update needs no resourceVersion. */
export const allowsUnconditionalUpdate = (resource: Resource): boolean =>
  resource !== leases && resource !== serviceAccounts;

/** Whether a PUT of what is not there creates it. */
export const allowsCreateOnUpdate = (resource: Resource): boolean =>
  resource === leases || resource.plural === 'events' || resource.group === 'rbac.authorization.k8s.io';

function decodedSecret(secret: JsonObject): JsonObject {
  const given = secret['stringData'];
  if (!isJsonObject(given)) return secret;
  const encoded = Object.entries(given).map(([key, value]) => [
    key,
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64'),
  ]);
  return { ...omit(secret, 'stringData'), data: { ...objectAt(secret, 'data'), ...Object.fromEntries(encoded) } };
}

function namespaceDefaults(namespace: JsonObject): JsonObject {
  const labels = objectAt(metaOf(namespace), 'labels');
  const named = withMeta(namespace, { labels: { ...labels, 'kubernetes.io/metadata.name': nameOf(namespace) } });
  const spec = specOf(named);
  return { ...named, spec: withDefaults(spec, { finalizers: ['kubernetes'] }) };
}

const notReadyTaint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function taintFaults(taint: JsonObject, index: number, taints: readonly JsonObject[]): readonly FieldFault[] {
  const field = `metadata.taints[${String(index)}]`;
  const [key, effect] = [textAt(taint, 'key'), textAt(taint, 'effect')];
  const isTwice = taints.slice(0, index).some((one) => textAt(one, 'key') === key && textAt(one, 'effect') === effect);
  return [
    ...keyFaults(`${field}.key`, key),
    ...(taintEffects.includes(effect) ? [] : [unsupportedValue(`${field}.effect`, effect, taintEffects)]),
    ...(isTwice ? [duplicate(field, `${key}:${effect}`)] : []),
  ];
}

/**
 * Nothing is scheduled to a new Node before it is ready (TaintNodesByCondition). Of one that is created ready the node
 * controller takes the taint away within seconds; here it has none from the start.
 */
function newNode(node: JsonObject): JsonObject {
  const spec = specOf(node);
  const taints = objectsAt(spec, 'taints');
  const isTainted = taints.some((taint) => textAt(taint, 'key') === notReadyTaint.key);
  const ready = objectsAt(statusOf(node), 'conditions').find((one) => textAt(one, 'type') === 'Ready');
  const status = withDefaults(statusOf(node), { daemonEndpoints: { kubeletEndpoint: { Port: 0 } }, nodeInfo: {} });
  if (isTainted || textAt(ready ?? {}, 'status') === 'True') return { ...node, spec, status };
  return { ...node, spec: { ...spec, taints: [...taints, notReadyTaint] }, status };
}

/** The next address of 10.96.0.0/16 that no Service has. */
function withAddress(state: ClusterState, service: JsonObject): JsonObject {
  const spec = specOf(service);
  if (textAt(spec, 'clusterIP') !== '' || textAt(spec, 'type') === 'ExternalName') return service;
  const taken = new Set([...state.store.all(services)].map((one) => textAt(specOf(one), 'clusterIP')));
  for (let number = 10; number < 65_000; number += 1) {
    const address = `10.96.${Math.floor(number / 256)}.${number % 256}`;
    if (!taken.has(address)) return { ...service, spec: { ...spec, clusterIP: address, clusterIPs: [address] } };
  }
  return service;
}

/** `metadata.generation`, 0 for a kind that has none. */
export const generationOf = (object: JsonObject): number => numberAt(metaOf(object), 'generation') ?? 0;
