/**
 * An absolute API path of the given segments, each encoded. An empty or dotted name, or one with half a surrogate pair,
 * yields a path that is refused before it is sent.
 */
export const apiPath = (...segments: readonly string[]): string =>
  `/${segments.map((segment) => (segment.isWellFormed() ? encodeURIComponent(segment) : '')).join('/')}`;

/** The path of the core group's resources of a namespace: `/api/v1/namespaces/{namespace}/…`. */
export const namespacedPath = (namespace: string, ...rest: readonly string[]): string =>
  apiPath('api', 'v1', 'namespaces', namespace, ...rest);

/** An empty segment would turn a GET of one object into a LIST, `..` one object into another. */
export const isCleanPath = (path: string): boolean =>
  path.startsWith('/') &&
  path
    .slice(1)
    .split('/')
    .every((segment) => segment !== '' && segment !== '.' && segment !== '..');

/** A value inside a field selector, escaped as apimachinery's `fields.EscapeValue` does. */
export const selectorValue = (value: string): string => value.replaceAll(/[\\,=]/g, (char) => `\\${char}`);

/** What a path is about, without names: `pods`, `pods/status`, `serviceaccounts/token`. */
export function resourceOf(path: string): string {
  const [root, ...segments] = path.slice(1).split('/');
  const below = segments.slice(root === 'apis' ? 2 : 1);
  const [resource = '', , subresource] = below[0] === 'namespaces' && below.length > 2 ? below.slice(2) : below;
  return subresource === undefined ? resource : `${resource}/${subresource}`;
}
