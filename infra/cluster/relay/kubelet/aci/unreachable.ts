/** Errors of a network that says nothing, or no: what is in the way is between here and there. */
const blocked = /^(ETIMEDOUT|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ECONNRESET)$/;

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.message;

/** Why a session could not be connected to, in one sentence that names where it is and what may be in the way. */
export function unreachable(webSocketUri: string, error: Error): string {
  const { hostname, port } = new URL(webSocketUri);
  const place = `${hostname}:${port === '' ? '443' : port}`;
  const code = codeOf(error);
  const tried = `the relay could not connect to the container's session at ${place} (${code})`;
  if (blocked.test(code) || /timed out/.test(code))
    return `${tried}: a security group, firewall or NetworkPolicy must let the relay's pods out to TCP port ${port === '' ? '443' : port}`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `${tried}: the name does not resolve where the relay runs`;
  return tried;
}
