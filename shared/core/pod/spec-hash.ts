import { createHash } from 'node:crypto';
import { isJsonObject } from '../json.ts';
import type { Json } from '../json.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { tierAnnotation, tierReasonAnnotation } from './annotations/readers.ts';
import { knownAnnotations } from './compatibility.ts';
import type { NodeFacts } from './translation.ts';

/** Members of a spec that may change while the pod runs and are no part of the group. */
const withoutEffect: ReadonlySet<string> = new Set([
  'activeDeadlineSeconds',
  'ephemeralContainers',
  'terminationGracePeriodSeconds',
  'tolerations',
]);

/** What the app writes of the group that it has made. */
const written: ReadonlySet<string> = new Set([tierAnnotation, tierReasonAnnotation]);

/** JSON with the keys of every object sorted, so that equal values have equal texts. */
export function canonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value ?? null);
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${members.join(',')}}`;
}

/** 32 hexadecimal digits over what of the pod and of the place makes the group. No value of a Secret is in it. */
export function specHash(pod: Pod, facts: Pick<NodeFacts, 'location' | 'zone' | 'subnetId' | 'apiServer'>): string {
  const spec = Object.fromEntries(Object.entries(pod.rawSpec).filter(([key]) => !withoutEffect.has(key)));
  const { location, zone, subnetId, apiServer } = facts;
  const node = { location, zone, subnetId, apiServer: apiServer && { host: apiServer.host, port: apiServer.port } };
  const annotations = Object.fromEntries(
    Object.entries(pod.metadata.annotations).filter(([name]) => knownAnnotations.has(name) && !written.has(name)),
  );
  const place = Object.keys(annotations).length === 0 ? { spec, node } : { spec, node, annotations };
  return createHash('sha256').update(canonicalJson(place)).digest('hex').slice(0, 32);
}
