import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { buildInto } from '../../../infra/package/build.ts';
import { filesOf } from '../../../infra/package/files.ts';
import { settingsOf } from '../../fixtures/settings.ts';
import { newerApisIn } from './newer-apis.ts';

const blob = 'http://127.0.0.1:9/account/container/registrations.json?sig=none';

const repository = join(import.meta.dirname, '..', '..', '..');
const manifest = z
  .object({ engines: z.object({ node: z.string().regex(/^>=\d+\.\d+$/) }) })
  .parse(JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')));
const [major = 0, minor = 0] = manifest.engines.node.slice(2).split('.').map(Number);

/** The oldest Node on this machine that `engines` allows; the packages' own one, where there is no other. */
function oldestNode(): { readonly binary: string; readonly version: string } {
  const found = (process.env['PATH'] ?? '').split(delimiter).flatMap((folder) => {
    const binary = join(folder, 'node');
    if (!existsSync(binary)) return [];
    const [version = ''] = /\d+\.\d+\.\d+/.exec(execFileSync(binary, ['--version'], { encoding: 'utf8' })) ?? [];
    const [ofMajor = 0, ofMinor = 0] = version.split('.').map(Number);
    return ofMajor > major || (ofMajor === major && ofMinor >= minor) ? [{ binary, version }] : [];
  });
  const own = { binary: process.execPath, version: process.versions.node };
  return [...found, own].toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }))[0] ?? own;
}

let root = '';
let cli = '';
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'oldest-node-'));
  await buildInto(root, repository);
  cli = join(root, 'cli');
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const { binary, version } = oldestNode();
const run = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(binary, [join(cli, 'main.js'), ...args], {
    encoding: 'utf8',
    env: { PATH: '/nowhere', HOME: root, NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
};

describe(`the oldest Node that package.json names (${manifest.engines.node})`, () => {
  it('has every API that the bundled command line uses', () => {
    const used = filesOf(cli).flatMap((file) =>
      newerApisIn(readFileSync(join(cli, file), 'utf8'), [major, minor]).map((name) => `${file}: ${name}`),
    );
    expect(used).toEqual([]);
  });

  it('has every API that the door of the npm scripts uses, which asks for that version', () => {
    const code = readFileSync(join(repository, 'infra/local/start.mjs'), 'utf8');
    expect(newerApisIn(code, [major, minor])).toEqual([]);
    expect(code).toContain(`const oldest = [${major}, ${minor}];`);
  });

  it(`says what the program and its commands are for (seen with ${version})`, () => {
    expect(run('--help')).toMatchObject({ status: 0, stderr: '' });
    for (const command of ['attach', 'detach', 'status', 'doctor', 'cost'])
      expect(run(command, '--help')).toMatchObject({ status: 0, stderr: '' });
  });

  it("is kubectl's plugin through a link, wherever its folder is", () => {
    const elsewhere = join(root, 'elsewhere');
    cpSync(cli, elsewhere, { recursive: true });
    symlinkSync(join(elsewhere, 'main.js'), join(root, 'kubectl-aci'));
    const { status, stdout, stderr } = spawnSync(binary, [join(root, 'kubectl-aci'), '--help'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('usage: kubectl aci COMMAND');
  });

  it('names what a command lacks', () => {
    expect(run('status')).toMatchObject({ status: 2, stderr: expect.stringContaining('no app is named') });
    expect(run('cost', '--app', 'app', '--resource-group', 'group')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('the Azure CLI (az) is not on PATH'),
    });
  });

  it('reads a kubeconfig, and asks its cluster', () => {
    const settings = join(root, 'local.settings.json');
    const kubeconfig = join(root, 'kubeconfig');
    const cluster = { server: 'https://127.0.0.1:9' };
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        clusters: [{ name: 'c', cluster }],
        users: [{ name: 'u', user: { token: 't' } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
    );
    writeFileSync(settings, JSON.stringify({ Values: { ...settingsOf(), REGISTRATIONS_URL: blob } }));
    const node = ['--nodes', 'aci-1', '--auth', 'token', '--app-url', 'https://app.example'];
    const ran = run('attach', ...node, '--settings', settings, '--kubeconfig', kubeconfig);
    expect(ran.stderr).toContain("the cluster's API server cannot be reached: the connection is refused");
    expect(ran.status).toBe(2);
  });

  it('knows what is newer than it when it sees it', () => {
    const code = 'let{promise:n}=Promise.withResolvers(),e=URL.parse(t);return[...Map.groupBy(a,b).values()].map(c)';
    expect(newerApisIn(code, [20, 12])).toEqual(['Map.groupBy', 'Promise.withResolvers', 'URL.parse']);
    expect(newerApisIn(code, [22, 1])).toEqual([]);
    const asked = 'const by=URL.parse?(e,t)=>URL.parse(e,t):(e,t)=>new URL(e,t);';
    expect(newerApisIn(asked, [20, 12])).toEqual([]);
    expect(newerApisIn(`${asked}URL.parse(x)?.origin`, [20, 12])).toEqual(['URL.parse']);
  });
});
