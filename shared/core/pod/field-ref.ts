import type { LateField } from '../agent/orders.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { own } from './own.ts';

/** `status.podIP` is needed before the start and known only after it (https://kubernetes.io/docs/concepts/workloads/pods/downward-api/). */
export type FieldAvailability = 'known' | 'late' | 'unknown';

type Reader = (pod: Pod, hostIP: string) => string;

const everywhere: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['metadata.name', (pod) => pod.metadata.name],
  ['metadata.namespace', (pod) => pod.metadata.namespace],
  ['metadata.uid', (pod) => pod.metadata.uid],
]);

const environmentOnly: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['spec.nodeName', (pod) => pod.spec.nodeName],
  ['spec.serviceAccountName', (pod) => pod.spec.serviceAccountName],
  ['status.hostIP', (_pod, hostIP) => hostIP],
  ['status.hostIPs', (_pod, hostIP) => hostIP],
]);

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
]);

function hex(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  if (code < 0x80) return `\\x${digits.padStart(2, '0')}`;
  return code < 0x1_00_00 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
}

/** As Go's `%q`: what is not printable, and any space but the plain one, is escaped. */
const quote = (text: string): string =>
  `"${text.replace(/["\\\p{C}]|(?! )\p{Z}/gu, (character) => escapes.get(character) ?? hex(character))}"`;

const lines = (map: Readonly<Record<string, string>>): string =>
  Object.entries(map)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${quote(value)}`)
    .join('\n');

const volumeOnly: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['metadata.labels', (pod) => lines(pod.metadata.labels)],
  ['metadata.annotations', (pod) => lines(pod.metadata.annotations)],
]);

/** What the agent finds out (infra/agent/README.md, Orders). */
export const lateField = (path: string): LateField | undefined =>
  path === 'status.podIP' || path === 'status.podIPs' ? path : undefined;

const subscript = /^metadata\.(labels|annotations)\['([^']*)'\]$/;

function reader(path: string, place: 'environment' | 'volume'): Reader | undefined {
  const match = subscript.exec(path);
  if (match !== null) {
    const [, map, key = ''] = match;
    return ({ metadata }) => own(map === 'labels' ? metadata.labels : metadata.annotations, key) ?? '';
  }
  return everywhere.get(path) ?? (place === 'environment' ? environmentOnly : volumeOnly).get(path);
}

/** Whether a `fieldRef` can be answered when the group is created. */
export function fieldAvailability(path: string, place: 'environment' | 'volume'): FieldAvailability {
  if (place === 'environment' && lateField(path) !== undefined) return 'late';
  return reader(path, place) === undefined ? 'unknown' : 'known';
}

/** The value of a `fieldRef`; undefined when it is not available. A label or annotation that is missing is empty. */
export const fieldValue = (
  pod: Pod,
  path: string,
  options: { readonly hostIP: string; readonly place: 'environment' | 'volume' },
): string | undefined => reader(path, options.place)?.(pod, options.hostIP);
