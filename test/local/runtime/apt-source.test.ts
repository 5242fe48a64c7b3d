import { describe, expect, it } from 'vitest';
import { mainAptSource } from '../../../infra/local/aci/images/apt-source.ts';

describe('the machine’s main package source', () => {
  it.each([
    [
      'a line',
      'deb http://mirror.example/debian bookworm main contrib\n',
      { uri: 'http://mirror.example/debian', suite: 'bookworm', components: ['main', 'contrib'] },
    ],
    [
      'a line with options',
      'deb [arch=amd64 signed-by=/k.gpg] http://m.example bookworm main',
      { uri: 'http://m.example', suite: 'bookworm', components: ['main'], keyring: '/k.gpg' },
    ],
    [
      'a stanza',
      'Types: deb deb-src\n# a remark\nURIs: http://m.example/debian\nSuites: bookworm-updates bookworm\nComponents: main\nSigned-By: /k.gpg\n',
      { uri: 'http://m.example/debian', suite: 'bookworm', components: ['main'], keyring: '/k.gpg' },
    ],
    [
      'a stanza behind others',
      'Types: deb\nURIs: http://v.example\nSuites: nodistro\nComponents: main\n\nTypes: deb\nURIs: http://m.example\nSuites: bookworm\nComponents: main',
      { uri: 'http://m.example', suite: 'bookworm', components: ['main'] },
    ],
    ['sources only', 'deb-src http://m.example bookworm main', undefined],
    ['updates only', 'deb http://m.example bookworm-updates main', undefined],
    ['a remark', '# deb http://m.example bookworm main', undefined],
    [
      'a disabled stanza',
      'Enabled: no\nTypes: deb\nURIs: http://m.example\nSuites: bookworm\nComponents: main',
      undefined,
    ],
    ['another component', 'deb http://m.example bookworm stable', undefined],
    ['nothing', '', undefined],
  ])('%s', (_name, file, source) => {
    expect(mainAptSource([file], 'bookworm')).toEqual(source);
  });

  it('is looked for in all files', () => {
    expect(mainAptSource(['', 'deb http://m.example bookworm main'], 'bookworm')?.uri).toBe('http://m.example');
  });
});
