import { describe, expect, it } from 'vitest';
import { splitDir } from '../../../infra/local/ask.ts';
import { identityEnvironment } from '../../../infra/local/up/command-line.ts';

describe('a command over a local cloud', () => {
  it.each([
    [['--watch'], { dir: '.local', rest: ['--watch'] }],
    [['--dir', '/x', '--output', 'json'], { dir: '/x', rest: ['--output', 'json'] }],
    [['--output', 'json', '--dir=/x'], { dir: '/x', rest: ['--output', 'json'] }],
  ])('%j', (args, expected) => {
    expect(splitDir(args)).toEqual(expected);
  });

  it('wants a folder after --dir', () => {
    expect(() => splitDir(['--dir'])).toThrow('--dir wants a folder');
  });

  it('has the identity that the settings name and nothing of the own Azure; without one it has the own', () => {
    const own = { PATH: '/bin', AZURE_CLIENT_SECRET: 'own', IDENTITY_ENDPOINT: 'own', MSI_SECRET: 'own' };
    const values = { IDENTITY_ENDPOINT: 'http://127.0.0.1:1/msi', IDENTITY_HEADER: 'h', AZURE_LOCATION: 'x' };
    expect(identityEnvironment(own, values)).toEqual({
      PATH: '/bin',
      IDENTITY_ENDPOINT: 'http://127.0.0.1:1/msi',
      IDENTITY_HEADER: 'h',
    });
    expect(identityEnvironment(own, { AZURE_LOCATION: 'x' })).toBe(own);
  });
});
