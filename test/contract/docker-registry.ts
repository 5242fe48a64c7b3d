import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pushImage } from '../../infra/local/registry/push.ts';
import type { SampleImage } from '../fixtures/images.ts';

/** Debian's package `docker-registry`: the reference implementation of the distribution specification. */
const binary = '/usr/bin/docker-registry';
export const isDockerRegistryInstalled = existsSync(binary);

export const login = { username: 'tester', password: 'planted-password' };
/** bcrypt, the only hash that it takes. */
const htpasswd = 'tester:$2b$04$E2MgnSF/yO9OWAVZJJE6ZOTDBmsVPo3rKo4xVXbc9qnljiMUqpCBy\n';

/** Who is let in. */
export type Doors =
  | { readonly kind: 'open' | 'read-only' }
  | { readonly kind: 'htpasswd' }
  /** By tokens of the service at `realm`, signed by a key of `authority`. */
  | { readonly kind: 'token'; readonly realm: string; readonly authority: string; readonly pushToken: string };

export interface DockerRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** With all that belongs to it, under this tag. */
  readonly push: (repository: string, tag: string, image: SampleImage) => Promise<void>;
}

/** Starts one in memory on a free port of loopback. */
export async function startDockerRegistry(doors: Doors): Promise<DockerRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'docker-registry-'));
  await writeFile(join(folder, 'htpasswd'), htpasswd);
  if (doors.kind === 'token') await writeFile(join(folder, 'authority.pem'), doors.authority);
  const auth = authOf(doors, folder);
  const config = { version: 0.1, log: { level: 'info' }, storage: { inmemory: {} }, http: { addr: '127.0.0.1:0' } };
  // YAML is a superset of JSON.
  await writeFile(join(folder, 'config.yml'), JSON.stringify({ ...config, ...auth }));
  const child = spawn(binary, ['serve', join(folder, 'config.yml')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<never>((_, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`docker-registry ended with ${code}`)));
  });
  ended.catch(() => undefined);
  const address = new Promise<string>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const match = /listening on (127\.0\.0\.1:\d+)/.exec(line);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
  });
  const origin = `http://${await Promise.race([address, ended])}`;
  const authorization =
    doors.kind === 'token'
      ? `Bearer ${doors.pushToken}`
      : `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  return {
    origin,
    push: (repository, tag, image) => pushImage({ origin, repository, tag, authorization }, image),
    [Symbol.asyncDispose]: async () => {
      child.removeAllListeners('exit');
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function authOf(doors: Doors, folder: string): object {
  switch (doors.kind) {
    case 'open':
      return {};
    case 'read-only':
      return { storage: { inmemory: {}, maintenance: { readonly: { enabled: true } } } };
    case 'htpasswd':
      return { auth: { htpasswd: { realm: 'Test', path: join(folder, 'htpasswd') } } };
    case 'token':
      return {
        auth: {
          token: {
            realm: doors.realm,
            service: tokenService,
            issuer: tokenIssuer,
            rootcertbundle: join(folder, 'authority.pem'),
          },
        },
      };
  }
}

export const tokenService = 'the registry';
export const tokenIssuer = 'the authorization service';
