/** A request line's target as the server of the real host (Kestrel) reads it. */
export type RequestTarget =
  | {
      readonly kind: 'read';
      /** Decoded once, without dot segments; `%2F` and what is no UTF-8 stay as they came. Routes are matched with this. */
      readonly path: string;
      /** With its question mark, as it came; may be empty. */
      readonly query: string;
    }
  | { readonly kind: 'refused'; readonly status: number };

/** Kestrel's MaxRequestLineSize. */
const mostRequestLineBytes = 8192;
/** Kestrel's MaxRequestHeadersTotalSize. */
const mostHeaderBytes = 32_768;

/** Reads the target, or says with what status the server refuses the request before anybody is asked. */
export function readTarget(method: string, target: string, rawHeaders: readonly string[]): RequestTarget {
  if (`${method} ${target} HTTP/1.1\r\n`.length > mostRequestLineBytes) return { kind: 'refused', status: 414 };
  // Each name and value with a colon, a space and a line's end.
  const headerBytes = rawHeaders.reduce((sum, text) => sum + text.length, rawHeaders.length * 2);
  if (headerBytes > mostHeaderBytes) return { kind: 'refused', status: 431 };
  const local = target.replace(/^https?:\/\/[^/?]*/i, '');
  const cut = local.indexOf('?');
  const raw = cut === -1 ? local : local.slice(0, cut);
  if (raw !== '' && !raw.startsWith('/')) return { kind: 'refused', status: 400 };
  if (/%00/.test(raw)) return { kind: 'refused', status: 400 };
  const path = withoutDots(decodeOnce(raw === '' ? '/' : raw));
  return { kind: 'read', path, query: cut === -1 ? '' : local.slice(cut) };
}

/** Runs of escapes are decoded when they are UTF-8; a slash is never. */
function decodeOnce(path: string): string {
  return path.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) =>
    run
      .split(/(%2f)/i)
      .map((part) => (/^%2f$/i.test(part) ? part : decoded(part)))
      .join(''),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** RFC 3986, 5.2.4. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const parts = path.split('/').slice(1);
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    if (part === '..') kept.pop();
    if (part !== '.' && part !== '..') kept.push(part);
    else if (isLast) kept.push('');
  }
  return `/${kept.join('/')}`;
}

/** A decoded path as ASP.NET puts it into a URL: what is escaped already stays, what may not be there is escaped. */
export function toUrlPath(path: string): string {
  return path.replaceAll(/%(?![0-9a-f]{2})|[^\w\-.~!$&'()*+,;=:@/%]+/gi, (text) =>
    encodeURIComponent(text.toWellFormed()),
  );
}
