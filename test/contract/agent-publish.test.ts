import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentFiles, writeAgentFiles } from '../../infra/package/agent-package.ts';
import { createImageRegistry } from '../../shared/adapters/registry/image-registry.ts';
import { parseSettings } from '../../shared/wire/settings.ts';
import { settingsOf } from '../fixtures/settings.ts';
import { run } from '../infra/cli/run.ts';
import { isDockerRegistryInstalled, login, startDockerRegistry } from './docker-registry.ts';
import type { Doors, DockerRegistry } from './docker-registry.ts';
import { startTokenService } from './token-service.ts';

const repository = 'platform/agent';

let root = '';
let digest = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'agent-publish-'));
  const files = agentFiles(Buffer.from('as good as a program\n'.repeat(10_000)), '1.2.3');
  writeAgentFiles(join(root, 'agent'), files);
  digest = JSON.parse(readFileSync(join(root, 'agent', 'agent.json'), 'utf8')).image.digest;
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The settings of an app for which `registry.example` is that registry. */
function settingsFile(name: string, origin: string, more: Readonly<Record<string, string>> = {}): string {
  const file = join(root, `${name}.json`);
  const values = settingsOf(undefined, { REGISTRY_ENDPOINTS: `registry.example=${origin}`, ...more });
  writeFileSync(file, JSON.stringify({ IsEncrypted: false, Values: values }));
  return file;
}

/** Where the operator's logins are. */
function dockerConfig(name: string, auths: object): string {
  const folder = join(root, name);
  writeAgentFiles(folder, new Map([['config.json', Buffer.from(JSON.stringify({ auths }))]]));
  return folder;
}

const publish = (file: string, environment: Readonly<Record<string, string>> = {}, more: readonly string[] = []) =>
  run(
    ['agent', 'publish', '--settings', file, '--registry', 'registry.example', '--repository', repository]
      .concat(['--agent', join(root, 'agent')])
      .concat(more),
    { environment },
  );

const valuesOf = (file: string): Record<string, string> => JSON.parse(readFileSync(file, 'utf8')).Values;

/** What the app's own client of registries makes of the image that the settings name. */
async function asked(file: string, logins: readonly (typeof login)[]) {
  const endpoints = Object.fromEntries(
    (valuesOf(file)['REGISTRY_ENDPOINTS'] ?? '').split(',').map((one) => one.split('=')),
  );
  const registry = createImageRegistry({ endpoints, userAgent: 'test/1' });
  const [, value = ''] = (valuesOf(file)['AGENT_IMAGE'] ?? '').split('@');
  const source = { registry: 'registry.example', repository, reference: { kind: 'digest' as const, value } };
  return registry.getConfig({ source, logins }, AbortSignal.timeout(10_000));
}

describe.runIf(isDockerRegistryInstalled)("agent publish, into Debian's docker-registry", () => {
  const closing: AsyncDisposable[] = [];
  afterAll(async () => {
    for (const one of closing) await one[Symbol.asyncDispose]();
  });
  const start = async (doors: Doors): Promise<DockerRegistry> => {
    const real = await startDockerRegistry(doors);
    closing.push(real);
    return real;
  };

  it('brings the image, names it in the settings by its digest, and makes a root of keys', async () => {
    const real = await start({ kind: 'open' });
    const file = settingsFile('open', real.origin);
    expect(await publish(file)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is pushed, with the tag 1.2.3-'),
    });
    const { AGENT_IMAGE, ...values } = valuesOf(file);
    expect(AGENT_IMAGE).toBe(`registry.example/${repository}@${digest}`);
    expect(await asked(file, [])).toMatchObject({ ok: true, value: { digest, entrypoint: ['/sk'] } });
    const parsed = parseSettings({ ...values, AGENT_IMAGE });
    expect(parsed.ok && Object.keys(parsed.settings.AGENT_ROOT_KEYS?.roots ?? {})).toHaveLength(1);
  });

  it('finds it there the second time, and changes nothing', async () => {
    const real = await start({ kind: 'open' });
    const file = settingsFile('twice', real.origin);
    await publish(file);
    const before = readFileSync(file, 'utf8');
    const { code, stdout } = await publish(file);
    expect([code, stdout]).toEqual([0, expect.stringContaining('was already there')]);
    expect(stdout).toContain('the app uses it already');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('goes on where a run was cut off, after a blob or before the tag', async () => {
    const real = await start({ kind: 'open' });
    const file = settingsFile('half', real.origin);
    const blobs = join(root, 'agent', 'image', 'blobs', 'sha256');
    const manifest = JSON.parse(readFileSync(join(blobs, digest.slice(7)), 'utf8'));
    const layer = readFileSync(join(blobs, manifest.layers[0].digest.slice(7)));
    const begun = await fetch(`${real.origin}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    const place = `${begun.headers.get('location')}&digest=${manifest.layers[0].digest}`;
    expect((await fetch(place, { method: 'PUT', body: layer })).status).toBe(201);
    expect((await publish(file)).code).toBe(0);
    expect(await asked(file, [])).toMatchObject({ ok: true });
    const tags = await fetch(`${real.origin}/v2/${repository}/tags/list`);
    expect(await tags.json()).toEqual({ name: repository, tags: [`1.2.3-${digest.slice(7, 19)}`] });
  });

  it('with --image-only leaves the settings alone and says the command', async () => {
    const real = await start({ kind: 'open' });
    const file = settingsFile('only', real.origin);
    const before = readFileSync(file, 'utf8');
    const answer = await publish(file, {}, ['--image-only']);
    expect([answer.code, answer.stdout]).toEqual([
      0,
      expect.stringContaining(`--settings AGENT_IMAGE=registry.example/${repository}@${digest}`),
    ]);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it.each(['htpasswd', 'token'] as const)('shows a registry with %s the login of docker', async (kind) => {
    const service = await startTokenService();
    closing.push(service);
    const realm = `${service.origin}/token`;
    const real = await start(
      kind === 'token' ? { kind, realm, authority: service.authority, pushToken: '' } : { kind },
    );
    const endpoints = `registry.example=${real.origin},auth.example=${service.origin}`;
    const file = settingsFile(kind, real.origin, { REGISTRY_ENDPOINTS: endpoints });
    const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
    const DOCKER_CONFIG = dockerConfig(`docker-${kind}`, { 'registry.example': { auth } });
    expect(await publish(file, { DOCKER_CONFIG })).toMatchObject({ code: 0 });
    expect(await asked(file, [login])).toMatchObject({ ok: true, value: { digest } });
    expect((await publish(file, { DOCKER_CONFIG })).stdout).toContain('was already there');
  });

  it('says how to log in where nobody is let in, and shows no password', async () => {
    const real = await start({ kind: 'htpasswd' });
    const file = settingsFile('nobody', real.origin);
    const auth = Buffer.from('tester:planted-wrong').toString('base64');
    const DOCKER_CONFIG = dockerConfig('docker-nobody', { 'registry.example': { auth } });
    const { code, stderr } = await publish(file, { DOCKER_CONFIG });
    expect(code).toBe(1);
    expect(stderr).toContain(
      `the agent's image is not in registry.example/${repository}: registry.example answered 401`,
    );
    expect(stderr).toContain(`log in as somebody who may push to ${repository}: docker login registry.example`);
    expect(stderr).not.toContain('planted');
    expect(valuesOf(file)).not.toHaveProperty('AGENT_IMAGE');
  });

  it('says that a registry is read-only', async () => {
    const real = await start({ kind: 'read-only' });
    const { code, stderr } = await publish(settingsFile('read-only', real.origin));
    expect([code, stderr]).toEqual([1, expect.stringContaining('it is read-only or locked')]);
  });

  it('moves no tag that names something else', async () => {
    const real = await start({ kind: 'open' });
    const blobs = join(root, 'agent', 'image', 'blobs', 'sha256');
    const first = settingsFile('taken', real.origin);
    await publish(first);
    const manifest = JSON.parse(readFileSync(join(blobs, digest.slice(7)), 'utf8'));
    const other = JSON.stringify({ ...manifest, annotations: { by: 'hand' } });
    const headers = { 'content-type': manifest.mediaType };
    const tag = `${real.origin}/v2/${repository}/manifests/1.2.3-${digest.slice(7, 19)}`;
    expect((await fetch(tag, { method: 'PUT', headers, body: other })).status).toBe(201);
    const { code, stderr } = await publish(first);
    expect([code, stderr]).toEqual([1, expect.stringContaining('has the tag 1.2.3-')]);
    expect(stderr).toContain('no tag is moved');
  });

  it('says where nobody answers', async () => {
    const real = await startDockerRegistry({ kind: 'open' });
    await real[Symbol.asyncDispose]();
    const { code, stderr } = await publish(settingsFile('gone', real.origin));
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/could not be asked: ECONNREFUSED\n {2}→ there is no way to it from here/),
    ]);
  });
});

it('the registry is installed where the gate runs', () => {
  expect(isDockerRegistryInstalled || process.env['CI'] !== 'true').toBe(true);
  expect(existsSync(join(root, 'agent', 'sk'))).toBe(true);
});
