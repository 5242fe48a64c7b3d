import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentSource, programFault } from '../../../infra/package/agent-binary.ts';
import { agentFiles, agentFilesOfApp, mostBytes, writeAgentFiles } from '../../../infra/package/agent-package.ts';
import { filesOf } from '../../../infra/package/files.ts';
import { digestOf, ociTypes } from '../../../shared/core/image/stored-image.ts';
import { parseAgentPackage } from '../../../shared/wire/agent-package.ts';
import { parseImageConfig } from '../../../shared/wire/registry/image-config.ts';
import { parseManifest } from '../../../shared/wire/registry/manifest.ts';

const repository = join(import.meta.dirname, '..', '..', '..');
/** Any static program: Debian's package busybox-static. */
const busybox = '/usr/bin/busybox';
const program = existsSync(busybox)
  ? readFileSync(busybox)
  : Buffer.from('no program, and as good as one'.repeat(9_999));

const files = agentFiles(program, '1.2.3');
let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'agent-package-'));
  writeAgentFiles(root, files);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const bytesOf = (name: string): Buffer => readFileSync(join(root, name));
const blob = (digest: string): Buffer => bytesOf(`image/blobs/${digest.replace(':', '/')}`);
const described = () => parseAgentPackage(bytesOf('agent.json').toString('utf8'));

/** Manifest, config and layer, by the digests that lead from one to the next. */
function image() {
  const digest = described()?.image.digest ?? '';
  const manifest = JSON.parse(blob(digest).toString('utf8'));
  return { digest, manifest, config: blob(manifest.config.digest), layer: blob(manifest.layers[0].digest) };
}

describe('the package of the agent', () => {
  it('describes the program: version, hash, size', () => {
    const sha256 = createHash('sha256').update(program).digest('hex');
    expect(described()).toMatchObject({ version: '1.2.3', sha256, bytes: program.length });
    expect(execFileSync('sha256sum', ['-c', 'sk.sha256'], { cwd: root, encoding: 'utf8' })).toBe('sk: OK\n');
    expect(statSync(join(root, 'sk')).mode & 0o777).toBe(0o755);
    expect(gunzipSync(bytesOf('sk.gz')).equals(program)).toBe(true);
  });

  it('has an image whose manifest, config and layer are what their digests name', () => {
    const { digest, manifest, config, layer } = image();
    expect(digestOf(blob(digest))).toBe(digest);
    expect([digestOf(config), config.length]).toEqual([manifest.config.digest, manifest.config.size]);
    expect([digestOf(layer), layer.length]).toEqual([manifest.layers[0].digest, manifest.layers[0].size]);
    expect(JSON.parse(config.toString('utf8')).rootfs).toEqual({
      type: 'layers',
      diff_ids: [digestOf(gunzipSync(layer))],
    });
    expect(filesOf(join(root, 'image/blobs'))).toHaveLength(3);
  });

  it('has an image that our own client of registries takes, for linux/amd64, which runs /sk', () => {
    const { digest, config } = image();
    expect(parseManifest(ociTypes.manifest, blob(digest).toString('utf8'))).toMatchObject({ ok: true });
    expect(parseImageConfig(config.toString('utf8'))).toMatchObject({
      ok: true,
      value: { entrypoint: ['/sk'], user: '' },
    });
  });

  it('is an OCI image layout that names the image by its tag', () => {
    const { digest } = image();
    expect(JSON.parse(bytesOf('image/oci-layout').toString())).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(JSON.parse(bytesOf('image/index.json').toString()).manifests).toMatchObject([
      { digest, annotations: { 'org.opencontainers.image.ref.name': `1.2.3-${digest.slice(7, 19)}` } },
    ]);
    expect(described()?.image.tag).toBe(`1.2.3-${digest.slice(7, 19)}`);
  });

  it('has a layer with one file, of root, that everybody may run and nobody change, of the first moment of 1970', () => {
    const tar = join(root, 'layer.tar');
    writeFileSync(tar, gunzipSync(image().layer));
    const listed = execFileSync('tar', ['--numeric-owner', '--utc', '-tvf', tar], { encoding: 'utf8' });
    expect(listed.trim().split(/\s+/)).toEqual([
      '-r-xr-xr-x',
      '0/0',
      String(program.length),
      '1970-01-01',
      '00:00',
      'sk',
    ]);
    const content = execFileSync('tar', ['-xOf', tar, 'sk'], { maxBuffer: 2 * program.length });
    expect(content.equals(program)).toBe(true);
  });

  it('is the same in another time zone, to the byte', () => {
    const code = `import { readFileSync } from 'node:fs';
      import { agentFiles } from ${JSON.stringify(join(repository, 'infra/package/agent-package.ts'))};
      const files = agentFiles(readFileSync(${JSON.stringify(join(root, 'sk'))}), '1.2.3');
      for (const [name, bytes] of files) process.stdout.write(name + ' ' + Buffer.from(bytes).toString('base64') + '\\n');`;
    const here = [...files].map(([name, bytes]) => `${name} ${Buffer.from(bytes).toString('base64')}\n`);
    const options = { env: { TZ: 'Pacific/Kiritimati' }, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
    expect(execFileSync(process.execPath, ['--input-type=module', '--eval', code], options)).toBe(here.join(''));
  });

  it('gives the app what it hands out, and nothing else', () => {
    const folder = join(root, 'app');
    writeAgentFiles(folder, files, agentFilesOfApp);
    expect(filesOf(folder)).toEqual(['agent.json', 'sk.gz']);
  });

  it.each([
    ['the program', Buffer.alloc(mostBytes.program + 1), /^the agent has 8000001 bytes/],
    [
      'what it is compressed to',
      randomBytes(mostBytes.compressed + 1),
      /^the agent, compressed, has \d+ bytes, and 3500000 is the most$/,
    ],
  ])('is not made where %s weighs too much', (_, bytes, message) => {
    expect(() => agentFiles(bytes, '1.2.3')).toThrow(message);
  });
});

describe('the agent that goes in', () => {
  const given = async (content: Buffer): Promise<Buffer | undefined> => {
    const file = join(root, 'given');
    writeFileSync(file, content);
    return (await agentSource(repository, { AGENT_BINARY: file }))?.program();
  };

  it.runIf(existsSync(busybox))('is what is named', async () => {
    expect((await given(program))?.equals(program)).toBe(true);
  });
  it('is none where no Go is new enough, and nobody names one', async () => {
    const elsewhere = join(root, 'repository');
    mkdirSync(join(elsewhere, 'infra', 'agent'), { recursive: true });
    writeFileSync(join(elsewhere, 'infra', 'agent', 'go.mod'), 'module agent\n\ngo 99.0.0\n');
    expect(await agentSource(elsewhere, {})).toBeUndefined();
  });
  it('is another source where it is another program', async () => {
    const named = async (name: string, content: Buffer): Promise<string | undefined> => {
      writeFileSync(join(root, name), content);
      return (await agentSource(repository, { AGENT_BINARY: join(root, name) }))?.id;
    };
    if (!existsSync(busybox)) return;
    expect(await named('one', program)).toBe(await named('same', program));
    expect(await named('one', program)).not.toBe(await named('other', Buffer.concat([program, Buffer.from('x')])));
  });
  it('is not passed over where what is named is not there', async () => {
    await expect(agentSource(repository, { AGENT_BINARY: join(root, 'none') })).rejects.toThrow('ENOENT');
  });
  it('is refused where it is no static program for linux/amd64', async () => {
    await expect(given(Buffer.from('#!/bin/sh\n'))).rejects.toThrow(/^AGENT_BINARY \(.*\): no program of Linux$/);
    const node = readFileSync(process.execPath).subarray(0, 4096);
    expect(programFault(node)).toMatch(/^not static/);
    const other = Buffer.from(node);
    other.writeUInt16LE(0xb7, 18);
    expect(programFault(other)).toBe('no program for amd64');
    expect(programFault(node.subarray(0, 70))).toBe('a program that was cut off');
  });
});
