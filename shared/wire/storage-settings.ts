/**
 * Whether the Table service's SDK takes this for a connection string: an account's with its key, one with a SAS, or
 * `UseDevelopmentStorage=true`. It would throw at any other, at each call.
 */
export function isConnectionString(text: string): boolean {
  if (/(^|;)\s*UseDevelopmentStorage=true\s*(;|$)/i.test(text)) return true;
  const parts = text.split(';').filter((part) => part.trim() !== '');
  if (parts.some((part) => !part.includes('='))) return false;
  const values = new Map(parts.map(keyAndValue));
  const value = (name: string): string => values.get(name) ?? '';
  const endpoint = value('tableendpoint');
  if (endpoint !== '' && !isHttpUrl(endpoint)) return false;
  if (value('accountkey') === '') return endpoint !== '' && value('sharedaccesssignature') !== '';
  const protocol = value('defaultendpointsprotocol');
  return (
    /^https?$/i.test(protocol) &&
    value('accountname') !== '' &&
    (endpoint !== '' || isHttpUrl(`${protocol}://${value('accountname')}.table.${value('endpointsuffix')}`))
  );
}

function keyAndValue(part: string): readonly [string, string] {
  const trimmed = part.trim();
  const end = trimmed.indexOf('=');
  return [trimmed.slice(0, end).toLowerCase(), trimmed.slice(end + 1)];
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && !url.hostname.endsWith('.');
}

/**
 * Whether this is the URL of a blob: `https://`, or `http://` on loopback with a SAS (a bearer token is never sent in
 * the clear). A query must be a SAS.
 */
export function isRegistrationsUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  const hasSas = url.searchParams.has('sig');
  if (url.search !== '' && !hasSas) return false;
  if (!/^\/[^/]+\/.*[^/]$/.test(url.pathname)) return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && hasSas && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
}
