import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isStatic } from '../../infra/local/aci/runtime/engine/pause.ts';
import { onPath } from '../../infra/local/aci/runtime/engine/backend.ts';
import { buildLocalImages } from '../../infra/local/registry/build.ts';
import { localImages, localRegistry } from '../../infra/local/registry/catalog.ts';
import { findRegistry, startLocalRegistry } from '../../infra/local/registry/registry.ts';
import type { LocalRegistry } from '../../infra/local/registry/registry.ts';
import { silentProgress } from '../../infra/cli/progress.ts';
import { bringUpAgent } from '../../infra/local/up/agent.ts';
import { agentFiles, writeAgentFiles } from '../../infra/package/agent-package.ts';
import { parseRootKeys } from '../../shared/wire/agent-settings.ts';
import { createImageRegistry } from '../../shared/adapters/registry/image-registry.ts';
import { imageSource } from '../../shared/core/image/image-source.ts';

const busybox = onPath('busybox');
const program = busybox !== undefined && (await isStatic(busybox)) ? findRegistry() : undefined;

describe.runIf(program !== undefined)("the laptop cloud's registry", () => {
  const signal = AbortSignal.timeout(60_000);
  let dir: string;
  let real: LocalRegistry;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'local-registry-'));
    real = await startLocalRegistry(dir, program ?? '');
  });
  afterAll(async () => {
    await real.child.stop(1000);
    await rm(dir, { recursive: true, force: true });
  });

  const asked = (image: string) => {
    const parsed = imageSource(`${localRegistry}/${image}`);
    if (!parsed.ok) throw new Error(parsed.message);
    const endpoints = { [localRegistry]: real.child.value };
    return {
      registry: createImageRegistry({ endpoints, userAgent: 'test/1' }),
      query: { source: parsed.source, logins: [] },
    };
  };
  const digestOf = (image: string) => {
    const { registry, query } = asked(image);
    return registry.getDigest(query, signal);
  };

  it.each(localImages)('says of $repository:$tag what the catalogue says', async ({ repository, tag, config }) => {
    const digest = await digestOf(`${repository}:${tag}`);
    const { registry, query } = asked(`${repository}@${digest.ok ? digest.value : ''}`);
    expect(await registry.getConfig(query, signal)).toMatchObject({
      ok: true,
      value: {
        entrypoint: config.Entrypoint ?? [],
        cmd: config.Cmd ?? [],
        user: config.User ?? '',
        workingDir: config.WorkingDir ?? '',
      },
    });
  });

  it('has each image under the digest of another start', async () => {
    for (const { image, stored } of await buildLocalImages(join(dir, 'again')))
      expect(await digestOf(`${image.repository}:${image.tag}`)).toEqual({ ok: true, value: stored.digest });
  });

  it('has the agent that was packaged, which the settings name, under the roots of an earlier start', async () => {
    const folder = join(dir, 'agent');
    writeAgentFiles(folder, agentFiles(Buffer.from('as good as a program'), '1.2.3'));
    const ground = { dir, registries: `${localRegistry}=${real.child.value}`, folder };
    const settings = await bringUpAgent(ground, silentProgress);
    const [, digest = ''] = (settings['AGENT_IMAGE'] ?? '').split('@');
    const { registry, query } = asked(`serverless-kubelet/agent@${digest}`);
    expect(await registry.getConfig(query, signal)).toMatchObject({ ok: true, value: { entrypoint: ['/sk'] } });
    expect(await bringUpAgent(ground, silentProgress)).toEqual(settings);
    expect(await bringUpAgent({ dir, registries: undefined, folder }, silentProgress)).toEqual({
      AGENT_ROOT_KEYS: settings['AGENT_ROOT_KEYS'],
    });
    expect(parseRootKeys(settings['AGENT_ROOT_KEYS'] ?? '')).toBeDefined();
  });

  it('leaves the agent out where the package has none, and says so', async () => {
    const lines: string[] = [];
    const ground = { dir, registries: `${localRegistry}=${real.child.value}`, folder: join(dir, 'nothing') };
    const progress = { ...silentProgress, line: (text: string) => void lines.push(text) };
    expect(Object.keys(await bringUpAgent(ground, progress))).toEqual(['AGENT_ROOT_KEYS']);
    expect(lines).toEqual(['no agent, which a Go that is new enough builds: pods that need it are refused']);
  });

  it('knows no other image', async () => {
    expect(await digestOf('nothing:1')).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
  });
});
