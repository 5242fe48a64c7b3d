import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseImageConfig } from '../../../shared/wire/registry/image-config.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const nothing = { entrypoint: [], cmd: [], env: {}, workingDir: '', user: '' };

describe("an image's config", () => {
  it('is read whole', () => {
    const config = {
      Entrypoint: ['/entry'],
      Cmd: ['a', 'b'],
      Env: ['PATH=/bin:/usr/bin', 'OPTS=a=b', 'EMPTY=', 'novalue', '=x', 'PATH=/bin'],
      WorkingDir: '/srv',
      User: '1000:1000',
      StopSignal: 'SIGQUIT',
      Volumes: { '/data': {} },
    };
    expect(parseImageConfig(JSON.stringify({ ...platform, config, rootfs: {}, history: [] }))).toEqual({
      ok: true,
      value: {
        entrypoint: ['/entry'],
        cmd: ['a', 'b'],
        env: { PATH: '/bin', OPTS: 'a=b', EMPTY: '' },
        workingDir: '/srv',
        user: '1000:1000',
        stopSignal: 'SIGQUIT',
      },
    });
  });

  it.each([
    ['that has none', {}],
    ['of null', { config: null }],
    ['of nothing', { config: {} }],
    ['of nulls', { config: { Entrypoint: null, Cmd: null, Env: null, WorkingDir: null, User: null, StopSignal: '' } }],
  ])('%s says nothing', (_, more) => {
    expect(parseImageConfig(JSON.stringify({ ...platform, ...more }))).toEqual({ ok: true, value: nothing });
  });

  it.each([
    ['another architecture', { os: 'linux', architecture: 'arm64' }, 'there is linux/arm64'],
    ['another system', { os: 'windows', architecture: 'amd64' }, 'there is windows/amd64'],
  ])('for %s is none', (_, other, words) => {
    expect(parseImageConfig(JSON.stringify(other))).toMatchObject({
      ok: false,
      fault: { code: 'NoMatchingPlatform', message: expect.stringContaining(words) },
    });
  });

  it('of a million characters is refused', () => {
    const config = { Env: Array.from({ length: 100 }, (_, index) => `N${index}=${'x'.repeat(10_000)}`) };
    expect(parseImageConfig(JSON.stringify({ ...platform, config }))).toMatchObject({ fault: { code: 'TooLarge' } });
  });

  it.each(['', '<html>', '[]', '{}', JSON.stringify({ ...platform, config: { Cmd: 'sh' } })])(
    'is garbage: %s',
    (text) => {
      expect(parseImageConfig(text)).toMatchObject({ ok: false, fault: { kind: 'transient' } });
    },
  );

  it('may be any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (config) => {
        const parsed = parseImageConfig(JSON.stringify({ ...platform, config }));
        expect(parsed.ok || parsed.fault.kind === 'transient').toBe(true);
      }),
    );
  });
});
