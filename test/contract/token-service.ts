import { sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCertificateAuthority } from '../../infra/local/pki.ts';
import { login, tokenIssuer, tokenService } from './docker-registry.ts';

/** The authorization service of a registry (distribution specification, token authentication), on loopback. */
export interface TokenService extends AsyncDisposable {
  readonly origin: string;
  /** PEM of the certificate with whose key tokens are signed. */
  readonly authority: string;
  /** One that may pull from and push to these repositories. */
  readonly tokenFor: (repositories: readonly string[], actions: readonly string[]) => string;
}

const basic = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;

/** Gives tokens to the tester alone. */
export async function startTokenService(): Promise<TokenService> {
  const { certPem, keyPem } = await createCertificateAuthority('tokens');
  const x5c = [certPem.replaceAll(/-----[A-Z ]+-----|\s/g, '')];
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const tokenFor: TokenService['tokenFor'] = (repositories, actions) => {
    const now = Math.floor(Date.now() / 1_000);
    const access = repositories.map((name) => ({ type: 'repository', name, actions }));
    const claims = {
      iss: tokenIssuer,
      sub: '',
      aud: tokenService,
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: '1',
      access,
    };
    const text = `${encode({ typ: 'JWT', alg: 'ES256', x5c })}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(text), { key: keyPem, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://service');
    const [type, name = '', actions = ''] = (url.searchParams.get('scope') ?? '').split(':');
    const isKnown = request.headers.authorization === basic;
    const isRight = type === 'repository' && url.searchParams.get('service') === tokenService;
    response.writeHead(isKnown && isRight ? 200 : 401, { 'content-type': 'application/json' });
    response.end(isKnown && isRight ? JSON.stringify({ token: tokenFor([name], actions.split(',')) }) : '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    authority: certPem,
    tokenFor,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
