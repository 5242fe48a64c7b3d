import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault, Result } from '../../../shared/core/fault.ts';
import { digestOf, sampleImage, sampleIndex, stored } from '../../fixtures/images.ts';
import type { SampleImage } from '../../fixtures/images.ts';
import { errorOf, queryOf, registryAt, serving, smallRegistry } from './small-registry.ts';
import type { Answer, Said } from './small-registry.ts';

const signal = AbortSignal.timeout(60_000);
const image = sampleImage({ config: { User: '1000' } });
const manifestType = image.mediaType;

const getDigest = async (answer: Answer): Promise<Result<unknown>> => {
  await using server = await smallRegistry(answer);
  return await registryAt(server.origin).getDigest(queryOf('v1'), signal);
};
const getConfig = async (answer: Answer, digest = image.digest): Promise<Result<unknown>> => {
  await using server = await smallRegistry(answer);
  return await registryAt(server.origin).getConfig(queryOf(digest), signal);
};

describe('a registry that answers', () => {
  it.each<[Said, Partial<Fault>]>([
    [errorOf(401, 'UNAUTHORIZED', 'who?'), { kind: 'denied', code: 'UNAUTHORIZED' }],
    [{ status: 401 }, { kind: 'denied', code: 'Unauthorized' }],
    [
      { status: 403, body: '<html>' },
      { kind: 'denied', code: 'Forbidden' },
    ],
    [errorOf(404, 'NAME_UNKNOWN', 'no such repository'), { kind: 'not-found', code: 'NAME_UNKNOWN' }],
    [
      { status: 404, body: '<html>' },
      { kind: 'not-found', code: 'NotFound' },
    ],
    [errorOf(400, 'TAG_INVALID', 'no'), { kind: 'rejected', code: 'TAG_INVALID' }],
    [{ status: 418 }, { kind: 'rejected', code: 'HTTP418' }],
    [{ status: 408 }, { kind: 'transient' }],
    [{ status: 500, body: '<html>' }, { kind: 'transient' }],
    [{ status: 503 }, { kind: 'transient' }],
    [{ status: 204 }, { kind: 'transient' }],
    [{ status: 304 }, { kind: 'transient' }],
    [
      { status: 429, headers: { 'retry-after': '7' } },
      { kind: 'throttled', retryAfterMs: 7_000 },
    ],
    [
      {
        status: 429,
        headers: { 'retry-after': 'Mon, 30 Nov 2026 08:00:30 GMT', date: 'Mon, 30 Nov 2026 08:00:00 GMT' },
      },
      { kind: 'throttled', retryAfterMs: 30_000 },
    ],
    [
      { status: 429, headers: { 'retry-after': '999999999' } },
      { kind: 'throttled', retryAfterMs: 3_600_000 },
    ],
    [
      { status: 429, headers: { 'retry-after': 'soon' } },
      { kind: 'throttled', retryAfterMs: 60_000 },
    ],
    [{ status: 429 }, { kind: 'throttled', retryAfterMs: 60_000 }],
  ])('%j: %j, with its name and status', async (said, fault) => {
    const answer = await getConfig(() => said);
    expect(answer).toMatchObject({ ok: false, fault });
    expect(answer.ok ? '' : answer.fault.message).toContain(
      `registry.example answered ${said.status} for team/app@${image.digest}`,
    );
    expect(JSON.stringify(answer)).not.toContain('html');
  });

  it('too many requests for a HEAD is waited for too', async () => {
    expect(await getDigest(() => ({ status: 429 }))).toMatchObject({ fault: { kind: 'throttled' } });
  });
});

describe('the digest of a tag', () => {
  const withoutDigest: Answer = (asked, response) => {
    const { headers, ...said } = serving(image)(asked, response) ?? {};
    return { ...said, headers: { 'content-type': headers?.['content-type'] ?? '' } };
  };
  const withoutHead: Answer = (asked, response) =>
    asked.method === 'HEAD' ? { status: 405 } : serving(image)(asked, response);

  it.each<[string, Answer]>([
    ['no digest at HEAD', withoutDigest],
    ['no HEAD', withoutHead],
    [
      'a digest that is none',
      (asked, response) =>
        asked.method === 'HEAD' ? { headers: { 'docker-content-digest': 'x' } } : serving(image)(asked, response),
    ],
  ])('is that of the bytes, where a registry has %s', async (_, answer) => {
    expect(await getDigest(answer)).toEqual({ ok: true, value: image.digest });
  });

  it('is not that of an answer that is none', async () => {
    const said = { status: 404, headers: { 'docker-content-digest': image.digest } };
    expect(await getDigest(() => said)).toMatchObject({ fault: { kind: 'not-found' } });
  });

  it('is no lie', async () => {
    const lying: Answer = ({ method }) =>
      method === 'HEAD'
        ? { status: 405 }
        : { headers: { 'docker-content-digest': digestOf('else') }, body: image.bytes };
    expect(await getDigest(lying)).toMatchObject({ fault: { kind: 'rejected', code: 'DigestMismatch' } });
  });
});

describe('a registry that has', () => {
  const changed = (from: SampleImage, part: 'manifest' | 'config'): Answer => {
    const target = part === 'manifest' ? '/manifests/' : '/blobs/';
    return (asked, response) => {
      const said = serving(from)(asked, response);
      const body = Buffer.from(said?.body ?? '');
      // White space after the JSON: another digest, the same meaning.
      const bytes =
        part === 'manifest'
          ? Buffer.concat([body, Buffer.from(' ')])
          : Buffer.from(body.toString().replace('1000', '0000'));
      return asked.path.includes(target) ? { ...said, body: bytes } : said;
    };
  };

  it.each<[string, Answer, string]>([
    ['another manifest than its digest names', changed(image, 'manifest'), 'DigestMismatch'],
    ['another config than its digest names', changed(image, 'config'), 'DigestMismatch'],
    [
      'a config that is longer than was said',
      (asked, response) =>
        asked.path.includes('/blobs/') ? { body: `${' '.repeat(10_000)}{}` } : serving(image)(asked, response),
      'TooLarge',
    ],
    [
      'a config that is shorter than was said',
      (asked, response) => (asked.path.includes('/blobs/') ? { body: '{}' } : serving(image)(asked, response)),
      'DigestMismatch',
    ],
    ['a page', () => ({ headers: { 'content-type': 'text/html' }, body: '<html>' }), 'UnsupportedMediaType'],
    ['bytes of no type', () => ({ body: image.bytes }), 'UnsupportedMediaType'],
    [
      'garbage of the right type',
      () => ({ headers: { 'content-type': manifestType }, body: '<html>' }),
      'DigestMismatch',
    ],
  ])('%s', async (_, answer, code) => {
    expect(await getConfig(answer)).toMatchObject({
      ok: false,
      fault: { kind: 'rejected', code, message: expect.stringContaining('registry.example') },
    });
  });

  it.each<[string, SampleImage, Partial<Fault>]>([
    [
      'an index without linux/amd64',
      sampleIndex([{ platform: 'linux/arm64' }]),
      { kind: 'rejected', code: 'NoMatchingPlatform' },
    ],
    [
      'an image for another platform',
      sampleImage({ platform: 'linux/s390x' }),
      { kind: 'rejected', code: 'NoMatchingPlatform' },
    ],
    [
      'an index that lies about a platform',
      (() => {
        const arm = sampleImage({ platform: 'linux/arm64' });
        const platform = { os: 'linux', architecture: 'amd64' };
        const member = { mediaType: arm.mediaType, digest: arm.digest, size: arm.bytes.length, platform };
        const type = 'application/vnd.oci.image.index.v1+json';
        return { ...stored(type, { schemaVersion: 2, manifests: [member] }), blobs: arm.blobs, manifests: [arm] };
      })(),
      { kind: 'rejected', code: 'NoMatchingPlatform' },
    ],
    [
      'an index within an index',
      (() => {
        const inner = sampleIndex([{}]);
        const platform = { os: 'linux', architecture: 'amd64' };
        const member = { mediaType: inner.mediaType, digest: inner.digest, size: inner.bytes.length, platform };
        return {
          ...stored(inner.mediaType, { schemaVersion: 2, manifests: [member] }),
          blobs: inner.blobs,
          manifests: [inner, ...inner.manifests],
        };
      })(),
      { kind: 'rejected', code: 'UnsupportedMediaType' },
    ],
    [
      'a config that is shorter than was said, whose digest is right',
      (() => {
        const { mediaType, digest, bytes } = image.blobs[0] ?? stored('', '');
        const config = { mediaType, digest, size: bytes.length + 1 };
        return { ...stored(manifestType, { schemaVersion: 2, config, layers: [] }), blobs: image.blobs, manifests: [] };
      })(),
      { kind: 'rejected', code: 'DigestMismatch' },
    ],
    [
      'JSON that is no manifest',
      { ...stored(manifestType, { schemaVersion: 2 }), blobs: [], manifests: [] },
      { kind: 'transient' },
    ],
  ])('%s', async (_, sample, fault) => {
    const answer = await getConfig(serving(sample), sample.digest);
    expect(answer).toMatchObject({
      ok: false,
      fault: { ...fault, message: expect.stringMatching(/registry\.example.*team\/app/) },
    });
  });

  it('an image by a digest of another algorithm than sha256', async () => {
    const { createHash } = await import('node:crypto');
    const digest = `sha512:${createHash('sha512').update(image.bytes).digest('hex')}`;
    const aliased: Answer = (asked, response) =>
      serving(image)({ ...asked, path: asked.path.replace(digest, image.digest) }, response);
    expect(await getConfig(aliased, digest)).toMatchObject({ ok: true, value: { digest, user: '1000' } });
    const sha384 = `sha384:${'a'.repeat(96)}`;
    const query = {
      ...queryOf('v1'),
      source: { ...queryOf('v1').source, reference: { kind: 'digest' as const, value: sha384 } },
    };
    await using server = await smallRegistry(aliased);
    expect(await registryAt(server.origin).getConfig(query, signal)).toMatchObject({
      fault: { code: 'DigestUnsupported' },
    });
    expect(server.asked).toEqual([]);
  });
});

describe('a registry that takes its time', () => {
  const quick = { requestTimeoutMs: 200 };
  it.each<[string, Answer]>([
    ['never answers', () => undefined],
    [
      'begins an answer and goes on for ever',
      (_, response) => {
        response.writeHead(200, { 'content-type': manifestType });
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer));
        return undefined;
      },
    ],
    [
      'hangs up',
      (_, response) => {
        response.destroy();
        return undefined;
      },
    ],
    [
      'hangs up in the middle',
      (_, response) => {
        response.writeHead(200, { 'content-type': manifestType, 'content-length': '1000' });
        response.write('{', () => response.destroy());
        return undefined;
      },
    ],
  ])('and %s: transient, soon', async (_, answer) => {
    await using server = await smallRegistry(answer);
    const before = performance.now();
    expect(await registryAt(server.origin, quick).getConfig(queryOf(image.digest), signal)).toMatchObject({
      ok: false,
      fault: { kind: 'transient', message: expect.stringContaining('registry.example') },
    });
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it('is not waited for longer than the caller has', async () => {
    await using server = await smallRegistry(() => undefined);
    const before = performance.now();
    const answer = await registryAt(server.origin, { requestTimeoutMs: 30_000 }).getConfig(
      queryOf(image.digest),
      AbortSignal.timeout(200),
    );
    expect(answer).toMatchObject({ fault: { message: 'registry.example did not answer in time' } });
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it('and sends without end: not read to its end', async () => {
    let sent = 0;
    const endless: Answer = (_, response) => {
      response.writeHead(200, { 'content-type': manifestType });
      const chunk = Buffer.alloc(65_536, 0x20);
      const write = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.on('drain', write);
      write();
      return undefined;
    };
    expect(await getConfig(endless)).toMatchObject({ fault: { kind: 'rejected', code: 'TooLarge' } });
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  it('and is not there at all: transient', async () => {
    expect(await registryAt('http://127.0.0.1:1').getDigest(queryOf('v1'), signal)).toMatchObject({
      fault: { kind: 'transient', message: 'registry.example could not be asked: ECONNREFUSED' },
    });
  });
});

describe('whatever a registry answers', () => {
  const word = fc.constantFrom(
    '',
    'x',
    image.digest,
    image.mediaType,
    'text/html',
    'Bearer realm="x"',
    'Basic',
    '/v2/',
    '7',
  );
  const said = fc.record({
    status: fc.constantFrom(200, 201, 206, 302, 401, 403, 404, 429, 500),
    headers: fc.dictionary(
      fc.constantFrom('content-type', 'docker-content-digest', 'location', 'www-authenticate', 'retry-after'),
      word,
    ),
    body: fc.oneof(fc.constant(image.bytes.toString()), fc.json(), fc.string({ unit: 'binary' })),
  });

  it('there is an answer, soon, and never an image', async () => {
    let answers: readonly Said[] = [];
    await using server = await smallRegistry(() => answers[server.asked.length % answers.length] ?? {});
    const registry = registryAt(server.origin);
    await fc.assert(
      fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 4 }), async (all) => {
        answers = all;
        const answer = await registry.getConfig(queryOf(digestOf('another image')), signal);
        expect(answer.ok).toBe(false);
      }),
      { numRuns: 200 },
    );
  });
});
