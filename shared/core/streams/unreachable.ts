/** Errors of a network that says nothing, or no: what is in the way is between here and there. */
const blocked = /^(ETIMEDOUT|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ECONNRESET)$/;

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.message;

/** Who connects: each is let out by somebody else. */
const callers = {
  relay: { name: 'the relay', way: "a security group, firewall or NetworkPolicy must let the relay's pods out" },
  app: { name: 'the app', way: 'a security group or firewall must let the function app out' },
} as const;

/** Why a session could not be connected to, in one sentence that names where it is and what may be in the way. */
export function unreachable(webSocketUri: string, error: Error, caller: keyof typeof callers): string {
  const { hostname, port: written } = new URL(webSocketUri);
  const port = written === '' ? '443' : written;
  const code = codeOf(error);
  const { name, way } = callers[caller];
  const tried = `${name} could not connect to the container's session at ${hostname}:${port} (${code})`;
  if (blocked.test(code) || /timed out/.test(code)) return `${tried}: ${way} to TCP port ${port}`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `${tried}: the name does not resolve where ${name} runs`;
  return tried;
}
