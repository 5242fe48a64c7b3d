import { beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../shared/core/fault.ts';
import type { ImageSource } from '../../shared/core/image/image-source.ts';
import type { ImageRegistry, RegistryLogin } from '../../shared/ports/image-registry.ts';
import { digestOf, sampleImage, sampleIndex } from '../fixtures/images.ts';
import type { SampleImage } from '../fixtures/images.ts';

export interface ImageRegistryUnderTest {
  readonly registry: ImageRegistry;
  /** The host by which images name it. */
  readonly host: string;
  /** Who alone is let in; undefined: everybody is. */
  readonly login: RegistryLogin | undefined;
  /** `config` as the registry's readers shall see it; undefined: nothing for linux/amd64. */
  push(repository: string, tag: string, image: SampleImage, config: typeof seen | undefined): Promise<void>;
}

/** All that the suite pushes to. */
export const repositories = ['oci', 'docker', 'index', 'list', 'moved', 'arm', 'there', 'closed'].map(
  (name) => `team/${name}`,
);

const config = { Entrypoint: ['/entry', '--all'], Cmd: ['serve'], Env: ['A=1'], WorkingDir: '/srv', User: '1000:1000' };
const seen = {
  entrypoint: ['/entry', '--all'],
  cmd: ['serve'],
  env: { A: '1' },
  workingDir: '/srv',
  user: '1000:1000',
};

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.fault.kind}: ${result.fault.message}`);
  return result.value;
}

export function describeImageRegistry(name: string, open: () => Promise<ImageRegistryUnderTest>): void {
  describe(`an image registry: ${name}`, () => {
    const signal = AbortSignal.timeout(60_000);
    let under: ImageRegistryUnderTest;
    beforeAll(async () => {
      under = await open();
    });

    const query = (repository: string, reference: string, logins?: readonly RegistryLogin[]) => {
      const kind: ImageSource['reference']['kind'] = reference.startsWith('sha256:') ? 'digest' : 'tag';
      const source: ImageSource = { registry: under.host, repository, reference: { kind, value: reference } };
      return { source, logins: logins ?? (under.login === undefined ? [] : [under.login]) };
    };
    const getDigest = (...asked: Parameters<typeof query>) => under.registry.getDigest(query(...asked), signal);
    const getConfig = (...asked: Parameters<typeof query>) => under.registry.getConfig(query(...asked), signal);

    it.each([
      ['an OCI image', 'team/oci', sampleImage({ config })],
      ["one of Docker's", 'team/docker', sampleImage({ config, flavour: 'docker' })],
      [
        'an index',
        'team/index',
        sampleIndex([
          { platform: 'linux/arm64/v8' },
          { platform: 'unknown/unknown' },
          { platform: 'linux/amd64', config },
        ]),
      ],
      [
        "Docker's list",
        'team/list',
        sampleIndex([{ platform: 'windows/amd64' }, { platform: 'linux/amd64', config }], 'docker'),
      ],
    ])('knows the digest of a tag, and the config under a digest: %s', async (_, repository, image) => {
      await under.push(repository, 'v1', image, seen);
      expect(value(await getDigest(repository, 'v1'))).toBe(image.digest);
      expect(value(await getConfig(repository, image.digest))).toEqual({ digest: image.digest, ...seen });
    });

    it('knows where a tag went', async () => {
      const [old, young] = [sampleImage({ config }), sampleImage({ config: { ...config, User: '' } })];
      await under.push('team/moved', 'latest', old, seen);
      await under.push('team/moved', 'latest', young, { ...seen, user: '' });
      expect(value(await getDigest('team/moved', 'latest'))).toBe(young.digest);
      expect(value(await getConfig('team/moved', old.digest)).user).toBe('1000:1000');
    });

    it('says of an image for other platforms that there is none', async () => {
      const image = sampleIndex([{ platform: 'linux/arm64' }]);
      await under.push('team/arm', 'v1', image, undefined);
      expect(await getDigest('team/arm', 'v1')).toMatchObject({ ok: true });
      expect(await getConfig('team/arm', image.digest)).toMatchObject({
        ok: false,
        fault: { kind: 'rejected', code: 'NoMatchingPlatform' },
      });
    });

    it('says what is not there', async () => {
      const image = sampleImage({ config });
      await under.push('team/there', 'v1', image, seen);
      expect(await getDigest('team/there', 'v2')).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
      expect(await getDigest('team/nowhere', 'v1')).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
      expect(await getConfig('team/there', digestOf('nothing'))).toMatchObject({ fault: { kind: 'not-found' } });
    });

    it('lets in who may, and nobody else where it asks who', async () => {
      const image = sampleImage({ config });
      await under.push('team/closed', 'v1', image, seen);
      const stranger = { username: 'tester', password: 'planted-wrong' };
      const others = [await getDigest('team/closed', 'v1', []), await getDigest('team/closed', 'v1', [stranger])];
      const known = under.login === undefined ? [stranger] : [stranger, under.login];
      expect(others.map((answer) => (answer.ok ? 'ok' : answer.fault.kind))).toEqual(
        under.login === undefined ? ['ok', 'ok'] : ['denied', 'denied'],
      );
      expect(JSON.stringify(others)).not.toContain('planted');
      expect(await getDigest('team/closed', 'v1', known)).toMatchObject({ ok: true });
      expect(await getConfig('team/closed', image.digest, known)).toMatchObject({ ok: true });
    });

    it('is not waited for when there is no time', async () => {
      const late = AbortSignal.abort();
      expect(await under.registry.getDigest(query('team/oci', 'v1'), late)).toMatchObject({
        fault: { kind: 'transient' },
      });
    });
  });
}
