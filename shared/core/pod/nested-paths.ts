/** Without empty parts and `.`; `..` is kept. */
export const pathParts = (path: string): readonly string[] =>
  path.split('/').filter((part) => part !== '' && part !== '.');

/** `/a/./b/../c/` → `/a/c`; a relative path is one of the root, as a kubelet takes it. */
export function absolutePath(path: string): string {
  const parts: string[] = [];
  for (const part of pathParts(path))
    if (part === '..') parts.pop();
    else parts.push(part);
  return `/${parts.join('/')}`;
}

const withSlash = (path: string): string => (path.endsWith('/') ? path : `${path}/`);

/**
 * Those of the paths that are inside another, have another inside, or are there twice. A pod may have thousands: sorted, all
 * that is inside a path follows it at once.
 */
export function nestedPaths(paths: readonly string[]): ReadonlySet<string> {
  const nested = new Set<string>();
  const around: string[] = [];
  for (const path of paths.map(withSlash).toSorted()) {
    while (around.length > 0 && !path.startsWith(around.at(-1) ?? '')) around.pop();
    const outer = around.at(-1);
    if (outer !== undefined) nested.add(outer).add(path);
    around.push(path);
  }
  return new Set(paths.filter((path) => nested.has(withSlash(path))));
}
