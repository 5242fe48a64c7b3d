/** What the API server fills in where a pod's spec says nothing. */
import { isJsonObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { defaultContainer } from './container-defaults.ts';
import { objectAt, objectsAt, textAt, withDefaults } from '../json-access.ts';

/** Idempotent. */
export function defaultPod(pod: JsonObject): JsonObject {
  const given = objectAt(pod, 'spec');
  const spec: Record<string, Json | undefined> = {
    ...withDefaults(given, {
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      terminationGracePeriodSeconds: 30,
      securityContext: {},
      enableServiceLinks: true,
    }),
    containers: objectsAt(given, 'containers').map(defaultContainer),
  };
  if (given['initContainers'] !== undefined)
    spec['initContainers'] = objectsAt(given, 'initContainers').map(defaultContainer);
  if (given['volumes'] !== undefined) spec['volumes'] = objectsAt(given, 'volumes').map(defaultVolume);
  const account = textAt(given, 'serviceAccountName') || textAt(given, 'serviceAccount');
  if (account !== '') Object.assign(spec, { serviceAccountName: account, serviceAccount: account });
  return { ...pod, spec };
}

const readable = 0o644;
const files = ['secret', 'configMap', 'downwardAPI', 'projected'];

function defaultVolume(volume: JsonObject): JsonObject {
  const source = Object.keys(volume).find((name) => name !== 'name');
  if (source === undefined) return { ...volume, emptyDir: {} };
  const body = volume[source];
  if (!files.includes(source) || !isJsonObject(body)) return volume;
  const defaulted = withDefaults(body, { defaultMode: readable });
  if (source !== 'projected') return { ...volume, [source]: withFieldRefs(defaulted) };
  return { ...volume, projected: { ...defaulted, sources: objectsAt(defaulted, 'sources').map(defaultSource) } };
}

function defaultSource(source: JsonObject): JsonObject {
  const token = source['serviceAccountToken'];
  if (isJsonObject(token)) return { ...source, serviceAccountToken: withDefaults(token, { expirationSeconds: 3600 }) };
  const downward = source['downwardAPI'];
  return isJsonObject(downward) ? { ...source, downwardAPI: withFieldRefs(downward) } : source;
}

function withFieldRefs(source: JsonObject): JsonObject {
  if (source['items'] === undefined) return source;
  const items = objectsAt(source, 'items').map((item) =>
    item['fieldRef'] === undefined
      ? item
      : { ...item, fieldRef: withDefaults(objectAt(item, 'fieldRef'), { apiVersion: 'v1' }) },
  );
  return { ...source, items };
}

/** `status.qosClass`, from the requests and limits of every container (cpu and memory alone count). */
export function qosClass(pod: JsonObject): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const spec = objectAt(pod, 'spec');
  const containers = [...objectsAt(spec, 'containers'), ...objectsAt(spec, 'initContainers')];
  const wants = containers.map((container) => {
    const resources = objectAt(container, 'resources');
    return { requests: objectAt(resources, 'requests'), limits: objectAt(resources, 'limits') };
  });
  const counted = ['cpu', 'memory'];
  const isEmpty = wants.every(({ requests, limits }) =>
    counted.every((name) => requests[name] === undefined && limits[name] === undefined),
  );
  if (isEmpty) return 'BestEffort';
  const isGuaranteed = wants.every(({ requests, limits }) =>
    counted.every((name) => limits[name] !== undefined && (requests[name] ?? limits[name]) === limits[name]),
  );
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}
