import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dockerLogins } from '../../../../infra/cli/delivery/docker-logins.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'docker-logins-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const basic = (text: string): string => Buffer.from(text).toString('base64');

function write(path: string, content: object | string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** A credential helper that knows one server. */
function writeHelper(name: string, server: string, answer: object): void {
  const file = write(
    `bin/docker-credential-${name}`,
    `#!/bin/sh\nread asked\n[ "$1 $asked" = 'get ${server}' ] || { echo not found; exit 1; }\necho '${JSON.stringify(answer)}'\n`,
  );
  chmodSync(file, 0o755);
}

const ask = (environment: Readonly<Record<string, string>>, registry = 'quay.io') =>
  dockerLogins(
    { registry, repository: 'team/agent' },
    { PATH: `${join(root, 'bin')}:/usr/bin:/bin`, ...environment },
    AbortSignal.timeout(10_000),
  );

describe("the operator's logins for a registry", () => {
  it('are those of docker, in the folder that it is told, and in HOME', async () => {
    const config = { auths: { 'quay.io': { auth: basic('u:p:q') }, 'other.example': { auth: basic('x:y') } } };
    write('docker/config.json', config);
    write('home/.docker/config.json', config);
    const expected = [{ username: 'u', password: 'p:q' }];
    expect(await ask({ DOCKER_CONFIG: join(root, 'docker') })).toEqual(expected);
    expect(await ask({ HOME: join(root, 'home') })).toEqual(expected);
  });

  it('are those of podman', async () => {
    const config = { auths: { 'quay.io/team': { username: 'u', password: 'p' } } };
    const file = write('podman/auth.json', config);
    write('run/containers/auth.json', config);
    expect(await ask({ REGISTRY_AUTH_FILE: file })).toEqual([{ username: 'u', password: 'p' }]);
    expect(await ask({ XDG_RUNTIME_DIR: join(root, 'run') })).toEqual([{ username: 'u', password: 'p' }]);
  });

  it('are that of az acr login: a token under a user of zeros', async () => {
    const zeros = '00000000-0000-0000-0000-000000000000';
    write('acr/config.json', { auths: { 'prod.azurecr.io': { auth: basic(`${zeros}:`), identitytoken: 'refresh' } } });
    expect(await ask({ DOCKER_CONFIG: join(root, 'acr') }, 'prod.azurecr.io')).toEqual([
      { username: zeros, password: 'refresh' },
    ]);
  });

  it('are those of a helper, for one registry or for all, Docker Hub by its URL', async () => {
    writeHelper('one', 'quay.io', { Username: 'u', Secret: 's' });
    writeHelper('all', 'https://index.docker.io/v1/', { Username: '<token>', Secret: 't' });
    write('helper/config.json', {
      auths: { 'https://index.docker.io/v1/': {} },
      credHelpers: { 'quay.io': 'one' },
      credsStore: 'all',
    });
    const environment = { DOCKER_CONFIG: join(root, 'helper') };
    expect(await ask(environment)).toEqual([{ username: 'u', password: 's' }]);
    expect(await ask(environment, 'index.docker.io')).toEqual([
      { username: '00000000-0000-0000-0000-000000000000', password: 't' },
    ]);
    expect(await ask(environment, 'other.example')).toEqual([]);
  });

  it.each([
    ['is not there', undefined],
    ['is no JSON', '{'],
    ['is of another shape', '[1]'],
    ['names a helper that is a path', '{"credsStore":"../../bin/sh"}'],
    ['names a helper that is not there', '{"credsStore":"none"}'],
    ['has members of other kinds', '{"auths":{"quay.io":7},"credHelpers":[],"credsStore":1}'],
  ])('are none where the file %s', async (what, content) => {
    const folder = `odd-${what.replaceAll(' ', '-')}`;
    if (content !== undefined) write(`${folder}/config.json`, content);
    expect(await ask({ DOCKER_CONFIG: join(root, folder) })).toEqual([]);
  });
});
