import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../../shared/wire/registry/manifest.ts';

const ociIndex = 'application/vnd.oci.image.index.v1+json';
const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';
const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';
const ociConfig = 'application/vnd.oci.image.config.v1+json';
const dockerConfig = 'application/vnd.docker.container.image.v1+json';

const digest = `sha256:${'ab'.repeat(32)}`;
const descriptor = (mediaType: string, size = 7) => ({ mediaType, digest, size });
const manifest = (mediaType = ociConfig) => ({
  schemaVersion: 2,
  config: descriptor(mediaType),
  layers: [descriptor('application/vnd.oci.image.layer.v1.tar+gzip')],
});
const entry = { ...descriptor(ociManifest), platform: { os: 'linux', architecture: 'amd64' } };
const index = (...manifests: unknown[]) => ({ schemaVersion: 2, manifests });

describe('under a digest is', () => {
  it.each([
    ['an OCI image', ociManifest, manifest()],
    ['an OCI image that names its type', `${ociManifest}; charset=utf-8`, { mediaType: ociManifest, ...manifest() }],
    ["Docker's image", dockerManifest, { mediaType: dockerManifest, ...manifest(dockerConfig) }],
    ['an image with members of a later day', ociManifest, { ...manifest(), subject: { x: 1 }, annotations: null }],
  ])('%s', (_, type, body) => {
    expect(parseManifest(type, JSON.stringify(body))).toEqual({
      ok: true,
      value: { kind: 'manifest', config: body.config },
    });
  });

  it.each([
    ['an OCI index', ociIndex, index(entry)],
    ["Docker's list", dockerList, { mediaType: dockerList, ...index(entry) }],
  ])('%s', (_, type, body) => {
    expect(parseManifest(type, JSON.stringify(body))).toEqual({ ok: true, value: { kind: 'index', entries: [entry] } });
  });

  it('an index whose members have variants, or no platform', () => {
    const variant = { ...entry, platform: { ...entry.platform, variant: 'v2', 'os.version': '1' } };
    expect(parseManifest(ociIndex, JSON.stringify(index(variant, descriptor(ociManifest))))).toEqual({
      ok: true,
      value: {
        kind: 'index',
        entries: [
          { ...entry, platform: { os: 'linux', architecture: 'amd64', variant: 'v2' } },
          descriptor(ociManifest),
        ],
      },
    });
  });

  it.each<[string, string | undefined, unknown, string]>([
    ['a type nobody knows', 'application/vnd.docker.distribution.manifest.v1+prettyjws', manifest(), 'prettyjws'],
    ['a page', 'text/html; charset=utf-8', manifest(), 'text/html'],
    ['something without a type', undefined, manifest(), 'of the type unknown'],
    ['a type that is markup', '<b>', manifest(), 'of the type unknown'],
    ['an image that calls itself an index', ociManifest, { mediaType: ociIndex, ...manifest() }, 'calls itself'],
    ['an index and an image at once', ociIndex, { ...manifest(), ...index(entry) }, 'an index and an image'],
    ['a chart', ociManifest, manifest('application/vnd.cncf.helm.config.v1+json'), 'helm.config'],
  ])('%s: refused', (_, type, body, words) => {
    expect(parseManifest(type, JSON.stringify(body))).toMatchObject({
      ok: false,
      fault: { kind: 'rejected', code: 'UnsupportedMediaType', message: expect.stringContaining(words) },
    });
  });

  it.each<[string, string, string]>([
    ['no JSON', ociManifest, '<html>'],
    ['a list', ociManifest, '[]'],
    ['nothing', ociManifest, ''],
    ['an image without a config', ociManifest, JSON.stringify({ schemaVersion: 2 })],
    ['an image of schema 1', ociManifest, JSON.stringify({ ...manifest(), schemaVersion: 1 })],
    [
      'a digest of an unknown algorithm',
      ociManifest,
      JSON.stringify({ ...manifest(), config: { ...descriptor(ociConfig), digest: 'md5:abc' } }),
    ],
    ['a size below nothing', ociIndex, JSON.stringify(index({ ...entry, size: -1 }))],
    ['more members than anybody has', ociIndex, JSON.stringify(index(...Array.from({ length: 1_001 }, () => entry)))],
  ])('%s: garbage', (_, type, text) => {
    expect(parseManifest(type, text)).toMatchObject({ ok: false, fault: { kind: 'transient' } });
  });

  it('an image with a config that nobody would read to its end: refused', () => {
    const body = { ...manifest(), config: descriptor(ociConfig, 5_000_000) };
    expect(parseManifest(ociManifest, JSON.stringify(body))).toMatchObject({ ok: false, fault: { code: 'TooLarge' } });
  });

  it('whatever it is, an answer', () => {
    const type = fc.oneof(fc.constantFrom(ociIndex, dockerList, ociManifest, dockerManifest), fc.string());
    fc.assert(
      fc.property(type, fc.oneof(fc.json(), fc.string()), (name, text) => {
        expect(parseManifest(name, text).ok).toBe(false);
      }),
    );
  });
});
