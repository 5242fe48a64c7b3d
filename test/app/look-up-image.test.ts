import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryImageRegistry } from '../../infra/local/sim/memory-image-registry.ts';
import type { MemoryImageRegistry } from '../../infra/local/sim/memory-image-registry.ts';
import { createMemoryStore } from '../../infra/local/sim/memory-store.ts';
import type { MemoryStore } from '../../infra/local/sim/memory-store.ts';
import { lookUpImage } from '../../shared/app/look-up-image.ts';
import type { ImageLookUpDeps, WantedImage } from '../../shared/app/look-up-image.ts';
import type { Fault } from '../../shared/core/fault.ts';
import { tagLivesMs } from '../../shared/core/image/image-tag.ts';
import { parseSettings } from '../../shared/wire/settings.ts';
import { settingsOf } from '../fixtures/settings.ts';

const [first, second] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
const said = (user: string) => ({ entrypoint: ['/e'], cmd: [], env: {}, workingDir: '', user });
const repository = 'index.docker.io/library/app';
function settings(images: object): ImageLookUpDeps['settings'] {
  const parsed = parseSettings(settingsOf(undefined, { IMAGE_CONFIGS: JSON.stringify(images) }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.settings;
}
const signal = AbortSignal.timeout(60_000);

describe('the look-up of an image', () => {
  let registry: MemoryImageRegistry;
  let store: MemoryStore;
  let now: number;
  let look: (wanted?: Partial<WantedImage>) => Promise<unknown>;

  /** A process: what it has in memory is its own. */
  const start = (more: Partial<ImageLookUpDeps> = {}) => {
    const deps: ImageLookUpDeps = {
      imageRegistry: { ...registry },
      store,
      settings: settings({}),
      clock: {
        wallMs: () => now,
        monotonicMs: () => now,
        sleep: () => Promise.resolve(),
        timeout: (ms) => AbortSignal.timeout(ms),
      },
      ...more,
    };
    return async (wanted: Partial<WantedImage> = {}) => {
      const answer = await lookUpImage(
        deps,
        { image: 'app:1', isAlways: false, logins: [], owner: 'c/a', ...wanted },
        now,
        signal,
      );
      return answer.ok ? answer.value : answer.fault.kind;
    };
  };

  beforeEach(() => {
    now = 1_000_000;
    registry = createMemoryImageRegistry();
    registry.put(repository, '1', { digest: first, config: said('1') });
    store = createMemoryStore({ now: () => now });
    look = start();
  });

  it('asks the registry once for a digest, whoever asks and however long it takes', async () => {
    expect(await look()).toEqual({ digest: first, ...said('1') });
    now += 10 * tagLivesMs;
    expect(await start()({ image: `app@${first}` })).toEqual({ digest: first, ...said('1') });
    expect(registry.asked).toEqual({ digests: 1, configs: 1 });
  });

  it('asks for a tag again after minutes, and not before', async () => {
    await look();
    registry.put(repository, '1', { digest: second, config: said('2') });
    now += tagLivesMs - 1;
    expect(await start()()).toMatchObject({ digest: first });
    now += 1;
    expect(await start()()).toMatchObject({ digest: second, user: '2' });
    expect(registry.asked).toEqual({ digests: 2, configs: 2 });
  });

  it('asks for a tag each time where that is the policy, and others profit', async () => {
    await look();
    registry.put(repository, '1', { digest: second, config: said('2') });
    now += 2_000;
    expect(await look({ isAlways: true })).toMatchObject({ digest: second });
    expect(await look()).toMatchObject({ digest: second });
    expect(registry.asked.digests).toBe(2);
  });

  it('does not trust a tag of the future', async () => {
    await look();
    now -= 60_000;
    await start()();
    expect(registry.asked.digests).toBe(2);
  });

  it('knows one image by all its names', async () => {
    await look();
    await look({ image: 'docker.io/library/app:1' });
    await look({ image: 'index.docker.io/app:1' });
    expect(registry.asked).toEqual({ digests: 1, configs: 1 });
  });

  it.each<Fault>([
    { kind: 'not-found', code: 'X', message: '' },
    { kind: 'denied', code: 'X', message: '' },
    { kind: 'throttled', retryAfterMs: 1, message: '' },
    { kind: 'rejected', code: 'DigestMismatch', message: '' },
    { kind: 'transient', message: '' },
  ])('keeps nothing that failed: $kind', async (fault) => {
    registry.fault = fault;
    expect(await look()).toBe(fault.kind);
    registry.fault = undefined;
    now += 1_000;
    expect(await look()).toMatchObject({ digest: first });
    expect(store.table.readPartition('images')).toHaveLength(2);
  });

  it('asks once for pods that come at once, and once more for one that gave up', async () => {
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => look())))).toHaveLength(1);
    expect(registry.asked).toEqual({ digests: 1, configs: 1 });
    registry.fault = { kind: 'throttled', retryAfterMs: 1, message: '' };
    await Promise.all(Array.from({ length: 20 }, () => look({ image: 'app:2' })));
    expect(registry.asked.digests).toBe(2);
    registry.fault = { kind: 'transient', message: 'aborted by the caller' };
    await Promise.all(Array.from({ length: 3 }, () => look({ image: 'app:3' })));
    expect(registry.asked.digests).toBe(5);
  });

  it('goes on without what is kept where that can not be read', async () => {
    const fault: Fault = { kind: 'transient', message: 'no table' };
    const broken = async () => ({ ok: false as const, fault });
    const without = { getImageConfig: broken, upsertImageConfig: broken, getImageTag: broken, upsertImageTag: broken };
    expect(await start({ store: { ...store, ...without } })()).toMatchObject({ digest: first });
  });

  it('asks nobody where an operator has a word, and has no digest then', async () => {
    const operators = settings({ app: said('operator') });
    expect(await start({ settings: operators })()).toEqual(said('operator'));
    expect(registry.asked).toEqual({ digests: 0, configs: 0 });
  });

  it('asks for what the logins of the pod may read', async () => {
    const login = { username: 'u', password: 'p' };
    registry = createMemoryImageRegistry(login);
    registry.put(repository, '1', { digest: first, config: said('1') });
    look = start();
    expect(await look()).toBe('denied');
    expect(await look({ logins: [login] })).toMatchObject({ digest: first });
    const wrong = { username: 'u', password: 'wrong' };
    now += 2_000;
    expect(await look()).toBe('denied');
    expect(await look({ logins: [wrong], owner: 'c/b' })).toBe('denied');
    expect(await look({ logins: [wrong] })).toMatchObject({ digest: first });
    expect(
      store.table
        .readPartition('images')
        .map(({ text }) => text)
        .join(),
    ).not.toContain('"p"');
  });

  it('of a name that is none is refused', async () => {
    expect(await look({ image: 'App:1:2' })).toBe('rejected');
  });
});
