import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { chooseCluster } from '../../../infra/local/up/cluster.ts';
import { isFirstStart } from '../../../infra/local/up/first-start.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'up-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

describe('the cluster of npm start', () => {
  const nothing = { cluster: undefined, kubeconfig: undefined };
  const kindOf = async (options: Parameters<typeof chooseCluster>[0]) => (await chooseCluster(options)).kind;

  it('is the one asked for', async () => {
    expect(await kindOf({ ...nothing, kubeconfig: '/x' })).toBe('given');
    expect(await kindOf({ ...nothing, cluster: 'real' })).toBe('real');
    expect(await kindOf({ ...nothing, cluster: 'embedded' })).toBe('embedded');
  });

  it('without Go and without a built Kubernetes is embedded, and says so and how to get the real one', async () => {
    vi.stubEnv('XDG_CACHE_HOME', dir);
    vi.stubEnv('PATH', dir);
    const choice = await chooseCluster(nothing);
    expect(choice.kind).toBe('embedded');
    expect(choice.why.join('\n')).toMatch(/embedded: .*no Deployments/);
    expect(choice.why.join('\n')).toMatch(/for a real one: Go 1\.\d+ or newer is needed/);
  });
});

describe('a folder', () => {
  it('has no past while neither tables nor groups are in it', () => {
    expect(isFirstStart(dir)).toBe(true);
    expect(isFirstStart(join(dir, 'not-there'))).toBe(true);
    mkdirSync(join(dir, 'logs'));
    expect(isFirstStart(dir)).toBe(true);
  });

  it.each(['tables', 'aci'])('has one when %s is', (name) => {
    mkdirSync(join(dir, name));
    expect(isFirstStart(dir)).toBe(false);
  });
});
