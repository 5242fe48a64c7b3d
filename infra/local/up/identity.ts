import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

/** A managed identity endpoint as App Service offers it (api-version 2019-08-01). */
export interface IdentityEndpoint {
  readonly url: string;
  readonly header: string;
  close(): Promise<void>;
}

const lifeSeconds = 86_400;

/**
 * An identity for a test server of ARM on this machine (`--arm https://127.0.0.1:…`) when the environment has none:
 * its tokens look like Entra's and are signed by nobody, so only a server that believes everything takes them.
 */
export async function startIdentityEndpoint(): Promise<IdentityEndpoint> {
  const header = randomBytes(16).toString('hex');
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    const resource = query.get('resource');
    const isAllowed = request.headers['x-identity-header'] === header && resource !== null;
    response.writeHead(isAllowed ? 200 : 401, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(
        isAllowed ? grant(resource, query.get('client_id')) : { message: 'wrong X-IDENTITY-HEADER, or no resource' },
      ),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    url: `http://127.0.0.1:${address.port}/msi/token`,
    header,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

function grant(resource: string, clientId: string | null): Record<string, string> {
  const expiresOn = Math.floor(Date.now() / 1000) + lifeSeconds;
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const id = clientId ?? '00000000-0000-4000-8000-000000000002';
  const claims = { aud: resource, iss: 'https://sts.windows.net/local/', oid: id, appid: id, exp: expiresOn };
  return {
    access_token: `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.${randomBytes(8).toString('base64url')}`,
    expires_on: String(expiresOn),
    resource,
    token_type: 'Bearer',
    client_id: id,
  };
}

/** Whether to start one: an ARM on loopback, and nothing in the environment that could sign in. */
export function needsIdentityEndpoint(arm: string, env: NodeJS.ProcessEnv): boolean {
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(arm).hostname);
  return (
    isLoopback &&
    env['IDENTITY_ENDPOINT'] === undefined &&
    env['AZURE_CLIENT_SECRET'] === undefined &&
    env['AZURE_FEDERATED_TOKEN_FILE'] === undefined
  );
}
