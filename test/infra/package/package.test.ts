import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { buildInto } from '../../../infra/package/build.ts';
import { filesOf, sameFolders } from '../../../infra/package/files.ts';
import { packFolder, unpack } from '../../../infra/package/zip.ts';

const repository = join(import.meta.dirname, '..', '..', '..');
const text = (file: string): string => readFileSync(file, 'utf8');

let root = '';
let built = '';
let zip: Uint8Array = new Uint8Array();
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'package-'));
  built = join(root, 'one');
  await buildInto(built, repository, Buffer.from('an agent'));
  zip = packFolder(join(built, 'app'));
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Of all maps: which npm packages' files the bundle has. */
function packagesIn(bundle: string): ReadonlySet<string> {
  const maps = join(built, 'maps', bundle);
  const map = z.object({ sources: z.array(z.string()) });
  const files = filesOf(maps).flatMap((file) => map.parse(JSON.parse(text(join(maps, file)))).sources);
  return new Set(files.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []));
}

const manifest = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});
const own = manifest.parse(JSON.parse(text(join(repository, 'package.json'))));

describe('the package of the function app', () => {
  it('is the same in another time zone', () => {
    const code = `import { packFolder } from ${JSON.stringify(join(repository, 'infra/package/zip.ts'))};
      process.stdout.write(packFolder(${JSON.stringify(join(built, 'app'))}));`;
    for (const TZ of ['Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
      const there = execFileSync(process.execPath, ['--input-type=module', '--eval', code], { env: { TZ } });
      expect(there.equals(zip)).toBe(true);
    }
  });

  it('holds exactly the folder: host.json at its root, a manifest, the entry, its chunks, and the agent as it is handed out', () => {
    const held = unzipSync(zip);
    expect(Object.keys(held)).toEqual(filesOf(join(built, 'app')));
    const others = Object.keys(held).filter((name) => !/^chunks\/[\w-]+\.js$/.test(name));
    expect(others).toEqual(['agent/agent.json', 'agent/sk.gz', 'host.json', 'index.js', 'package.json']);
    unpack(zip, join(root, 'unpacked'));
    expect(sameFolders(join(root, 'unpacked'), join(built, 'app'))).toBe(true);
  });

  it('names itself, its version, its kind and its entry in the manifest, and asks for no package', () => {
    expect(JSON.parse(text(join(built, 'app', 'package.json')))).toEqual({
      name: 'serverless-kubelet-app',
      version: own.version,
      type: 'module',
      main: 'index.js',
    });
  });

  it('has no source map and no word of one; the maps are apart', () => {
    const all = filesOf(built).filter((file) => !file.startsWith('maps/'));
    expect(all.filter((file) => file.endsWith('.map'))).toEqual([]);
    for (const file of all.filter((name) => /[.]m?js$/.test(name)))
      expect(text(join(built, file))).not.toContain('sourceMappingURL');
    expect(filesOf(join(built, 'maps'))).toEqual(expect.arrayContaining(['app/index.js.map', 'relay/relay.mjs.map']));
  });

  it('holds code of run-time dependencies alone', () => {
    const bundled = packagesIn('app');
    expect(bundled).toContain('@azure/arm-containerinstance');
    expect(Object.keys(own.devDependencies).filter((name) => bundled.has(name))).toEqual([]);
  });

  it('names no folder of the machine it was built on', () => {
    const offenders = Object.entries(unzipSync(zip)).filter(([, bytes]) => Buffer.from(bytes).includes(repository));
    expect(offenders.map(([name]) => name)).toEqual([]);
  });

  it('registers every function from a folder with nothing beside it', () => {
    const folder = join(root, 'alone');
    unpack(zip, folder);
    const probe = join(repository, 'test/bench/rig/import-probe.mjs');
    const output = execFileSync(process.execPath, [probe, join(folder, 'index.js')], { env: {}, encoding: 'utf8' });
    const { registered } = z.object({ registered: z.array(z.string()) }).parse(JSON.parse(output));
    expect([...registered].sort()).toEqual([
      'agent-download',
      'kubelet-api',
      'node-heartbeat',
      'pod-events',
      'pod-files',
      'pod-reports',
      'pod-sweep',
    ]);
  });
});

describe('the bundle of the relay', () => {
  it('is one file that fits a ConfigMap, whose limit is 1 MiB, with room to spare', () => {
    expect(filesOf(join(built, 'relay'))).toEqual(['relay.mjs']);
    expect(statSync(join(built, 'relay', 'relay.mjs')).size).toBeLessThan(800_000);
  });
  it('holds code of run-time dependencies alone', () => {
    const bundled = packagesIn('relay');
    expect(Object.keys(own.devDependencies).filter((name) => bundled.has(name))).toEqual([]);
  });
});
