/** What the API server fills in where a container says nothing (`k8s.io/kubernetes/pkg/apis/core/v1` defaults). */
import { isJsonObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { objectAt, objectsAt, textAt, withDefaults } from '../json-access.ts';
import { inCanonicalForm } from './quantities.ts';

const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'];

export function defaultContainer(container: JsonObject): JsonObject {
  const changed: Record<string, Json | undefined> = {
    ...withDefaults(container, {
      resources: {},
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: pullPolicy(textAt(container, 'image')),
    }),
  };
  if (isJsonObject(changed['resources'])) changed['resources'] = defaultResources(changed['resources']);
  if (container['ports'] !== undefined)
    changed['ports'] = objectsAt(container, 'ports').map((port) => withDefaults(port, { protocol: 'TCP' }));
  if (container['env'] !== undefined) changed['env'] = objectsAt(container, 'env').map(defaultVariable);
  for (const name of probes) {
    const probe = changed[name];
    if (isJsonObject(probe)) changed[name] = defaultProbe(probe);
  }
  return changed;
}

/** `latest`, or no tag at all, is pulled each time. */
function pullPolicy(image: string): string {
  const [name = '', digest] = image.split('@');
  const tag = /:([^/:]+)$/.exec(name)?.[1];
  return digest === undefined && (tag === undefined || tag === 'latest') ? 'Always' : 'IfNotPresent';
}

/** A limit without a request is a request as well. */
function defaultResources(given: JsonObject): JsonObject {
  const resources = inCanonicalForm(given, 'limits', 'requests');
  const limits = objectAt(resources, 'limits');
  if (Object.keys(limits).length === 0) return resources;
  return { ...resources, requests: { ...limits, ...objectAt(resources, 'requests') } };
}

function defaultVariable(variable: JsonObject): JsonObject {
  const from = objectAt(variable, 'valueFrom');
  if (from['fieldRef'] === undefined) return variable;
  const fieldRef = withDefaults(objectAt(from, 'fieldRef'), { apiVersion: 'v1' });
  return { ...variable, valueFrom: { ...from, fieldRef } };
}

function defaultProbe(probe: JsonObject): JsonObject {
  const timed = withDefaults(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  const httpGet = timed['httpGet'];
  return isJsonObject(httpGet) ? { ...timed, httpGet: withDefaults(httpGet, { path: '/', scheme: 'HTTP' }) } : timed;
}
