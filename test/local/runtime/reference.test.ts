import { describe, expect, it } from 'vitest';
import { credentialFor, imageFault, normalizeImage } from '../../../infra/local/aci/runtime/engine/reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('image names', () => {
  it.each([
    ['perl:5.34.0', 'docker.io/library/perl:5.34.0'],
    ['perl', 'docker.io/library/perl:latest'],
    ['library/perl', 'docker.io/library/perl:latest'],
    ['index.docker.io/perl', 'docker.io/library/perl:latest'],
    ['docker.io/perl:5', 'docker.io/library/perl:5'],
    ['someone/tool:1', 'docker.io/someone/tool:1'],
    ['example.azurecr.io/a/b:1', 'example.azurecr.io/a/b:1'],
    ['example.azurecr.io/a', 'example.azurecr.io/a:latest'],
    ['localhost/a', 'localhost/a:latest'],
    ['127.0.0.1:5000/a', '127.0.0.1:5000/a:latest'],
    [`perl@${digest}`, `docker.io/library/perl@${digest}`],
    [`perl:5@${digest}`, `docker.io/library/perl:5@${digest}`],
  ])('%s means %s', (name, full) => {
    expect(normalizeImage(name)).toBe(full);
    expect(normalizeImage(full)).toBe(full);
  });
});

describe('credentials', () => {
  const of = (server: string) => ({ server, username: 'u', password: 'p' });
  it.each([
    ['the registry itself', 'example.azurecr.io/a:1', 'example.azurecr.io', true],
    ['a URL', 'example.azurecr.io/a:1', 'https://example.azurecr.io/v2/', true],
    ['the hub by its old name', 'docker.io/library/a:1', 'https://index.docker.io/v1/', true],
    ['another registry', 'example.azurecr.io/a:1', 'other.azurecr.io', false],
    ['a name that begins alike', 'example.azurecr.io/a:1', 'example.azurecr.io.evil.example', false],
  ])('%s', (_name, image, server, found) => {
    expect(credentialFor(image, [of(server)]) !== undefined).toBe(found);
  });
});

describe('failed pulls', () => {
  it.each([
    ['unavailable', 'pinging container registry r: Get "https://r/v2/": dial tcp: lookup r: no such host'],
    ['unavailable', 'pinging container registry 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused'],
    ['unavailable', 'podman timed out after 5 ms'],
    ['unavailable', 'toomanyrequests: You have reached your pull rate limit'],
    ['unavailable', 'received unexpected HTTP status: 503 Service Unavailable'],
    ['unavailable', 'something nobody has seen before'],
    ['denied', 'reading manifest 1 in r/a: unauthorized: authentication required'],
    ['denied', 'pull access denied for a, repository does not exist or may require authorization'],
    ['denied', 'invalid status code from registry 403 (Forbidden)'],
    ['not-found', 'reading manifest 9 in r/a: manifest unknown: manifest tagged by "9" is not found'],
    ['not-found', 'name unknown: repository name not known to registry'],
    ['not-found', 'parsing reference "docker.io/A:1": repository name must be lowercase: invalid reference format'],
  ])('%s: %s', (reason, sentence) => {
    expect(imageFault('r/a:9', sentence)).toEqual({
      kind: 'image-fault',
      reason,
      message: `pull of r/a:9 failed: ${sentence}`,
    });
  });
});
