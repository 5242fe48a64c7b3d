/**
 * The decoded segments of a request's path; undefined for one that reads differently to different eyes (`.`, `..`, empty
 * or encoded separators, bytes that are no text): what is authorized must be what is routed. One `/` at the end is allowed.
 */
export function pathSegments(url: string): readonly string[] | undefined {
  const path = url.split(/[?#]/, 1)[0] ?? '';
  if (!path.startsWith('/')) return undefined;
  const raw = path.slice(1).replace(/\/$/, '').split('/');
  const segments: string[] = [];
  for (const text of raw) {
    const segment = decoded(text);
    if (segment === undefined || !isClean(segment)) return undefined;
    segments.push(segment);
  }
  return segments;
}

/** The parameters of a request's query. */
export const queryOf = (url: string): URLSearchParams => new URLSearchParams(url.split('?').slice(1).join('?'));

const isClean = (segment: string): boolean =>
  segment !== '' && segment !== '.' && segment !== '..' && !/[/\\\p{Cc}]/u.test(segment);

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
