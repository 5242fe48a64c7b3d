import { findResource, nodes } from '../../sim/api-server/resources.ts';
import type { Resource } from '../../sim/api-server/resources.ts';

/** What a path speaks of. */
export type RequestPath =
  | {
      readonly kind: 'resource';
      readonly resource: Resource;
      /** Empty: of the cluster, or of every namespace. */
      readonly namespace: string;
      /** Empty: the collection. */
      readonly name: string;
      readonly subresource: string;
      /** What is behind `proxy`: a path of the kubelet. */
      readonly proxied: readonly string[];
    }
  /** Discovery, health, versions: segments of the path. */
  | { readonly kind: 'document'; readonly segments: readonly string[] }
  | { readonly kind: 'unknown' };

const unknown: RequestPath = { kind: 'unknown' };
const documents = new Set(['', 'api', 'apis', 'version', 'openapi', 'healthz', 'livez', 'readyz']);

/** Reads the path of a URL, without its query. */
export function parseRequestPath(path: string): RequestPath {
  const segments = decoded(path.replace(/^\//, '').replace(/\/$/, ''));
  if (segments === undefined) return unknown;
  const [root = '', ...rest] = segments;
  if (root === 'api' && rest.length > 1) return parseResource('', rest);
  if (root === 'apis' && rest.length > 2) return parseResource(rest[0] ?? '', rest.slice(1));
  return documents.has(root) ? { kind: 'document', segments } : unknown;
}

/** Undefined: an escape that is none, or a segment that could lead elsewhere. */
function decoded(path: string): readonly string[] | undefined {
  try {
    const segments = path.split('/').map(decodeURIComponent);
    const isClean = segments.every(
      (one) => (one !== '' || segments.length === 1) && one !== '.' && one !== '..' && !one.includes('/'),
    );
    return isClean ? segments : undefined;
  } catch {
    return undefined;
  }
}

/** `v1/pods`, `v1/namespaces/default/pods/p/status`, `v1/namespaces/default`. */
function parseResource(group: string, [version = '', ...rest]: readonly string[]): RequestPath {
  const [first = '', second = '', third] = rest;
  if (first !== 'namespaces' || third === undefined) return resourceOf({ group, version, namespace: '' }, rest);
  const isOfNamespace = third === 'status' || third === 'finalize';
  if (isOfNamespace && rest.length === 3) return resourceOf({ group, version, namespace: '' }, rest);
  return resourceOf({ group, version, namespace: second }, rest.slice(2));
}

function resourceOf(
  { group, version, namespace }: { readonly group: string; readonly version: string; readonly namespace: string },
  [plural = '', name = '', subresource = '', ...more]: readonly string[],
): RequestPath {
  const resource = findResource(group, version, plural);
  if (resource === undefined) return unknown;
  const isProxied = resource === nodes && subresource === 'proxy';
  if (more.length > 0 && !isProxied) return unknown;
  if (namespace !== '' && !resource.isNamespaced) return unknown;
  // One object of a namespaced kind has a namespace.
  if (namespace === '' && resource.isNamespaced && name !== '') return unknown;
  const known = ['', ...(resource.hasStatus ? ['status'] : []), ...resource.subresources];
  return known.includes(subresource)
    ? { kind: 'resource', resource, namespace, name, subresource, proxied: more }
    : unknown;
}
