import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { allocatePort } from '../../../infra/local/ports.ts';
import { findRealHost, startRealHost } from '../../../infra/local/up/real-host.ts';

const dir = mkdtempSync(join(tmpdir(), 'real-host-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const path = process.env['PATH'] ?? '';
afterEach(() => {
  process.env['PATH'] = path;
});

function program(name: string, text = '#!/bin/sh\n'): string {
  mkdirSync(join(dir, name, '..'), { recursive: true });
  writeFileSync(join(dir, name), text);
  chmodSync(join(dir, name), 0o755);
  return join(dir, name);
}

describe('--functions-host', () => {
  it('takes the folder of a host, or the one that holds it', () => {
    const found = { kind: 'folder', program: program('unpacked/functions-host/functions-host') };
    expect(findRealHost(join(dir, 'unpacked', 'functions-host'))).toEqual(found);
    expect(findRealHost(join(dir, 'unpacked'))).toEqual(found);
  });
  it('takes the func of the PATH', () => {
    const func = program('bin/func');
    process.env['PATH'] = join(dir, 'bin');
    expect(findRealHost('func')).toEqual({ kind: 'func', program: func });
  });
  it('says what is missing where there is none', () => {
    process.env['PATH'] = join(dir, 'empty');
    expect(() => findRealHost('func')).toThrow('there is no func in the PATH; install Azure Functions Core Tools 4');
    expect(() => findRealHost(join(dir, 'nowhere'))).toThrow('nowhere holds no Functions host: it wants a folder');
    mkdirSync(join(dir, 'folder', 'functions-host'), { recursive: true });
    expect(() => findRealHost(join(dir, 'folder'))).toThrow('holds no Functions host');
  });
  it('says how a host ended that could not start, with its last lines', async () => {
    const broken = program('broken/functions-host', '#!/bin/sh\necho "no OpenSSL here"\nexit 134\n');
    const starting = startRealHost({
      host: { kind: 'folder', program: broken },
      dir,
      name: 'broken',
      appFolder: dir,
      port: await allocatePort(),
      settings: {},
      probe: '/',
    });
    await expect(starting).rejects.toThrow(/broken exited with code 134; its last lines:\nno OpenSSL here/);
  });
});
