import { describe, expect, it } from 'vitest';
import { registriesConf } from '../../../infra/local/aci/runtime/engine/registries-conf.ts';

describe('where Podman asks for the images of a registry', () => {
  it.each([
    ['plain http of this machine', 'http://127.0.0.1:5000', '127.0.0.1:5000', true],
    ['a mirror over TLS', 'https://mirror.example', 'mirror.example', false],
  ])('%s', (_, origin, location, isInsecure) => {
    expect(registriesConf('registry.local', origin).split('\n')).toEqual([
      '[[registry]]',
      'prefix = "registry.local"',
      `location = "${location}"`,
      `insecure = ${isInsecure}`,
      '',
    ]);
  });
});
