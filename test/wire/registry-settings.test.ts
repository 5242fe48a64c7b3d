import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../shared/wire/settings.ts';
import { settingsOf } from '../fixtures/settings.ts';

const parse = (change: Readonly<Record<string, string>>) => parseSettings({ ...settingsOf(), ...change });
const faultsOf = (change: Readonly<Record<string, string>>): readonly string[] => {
  const parsed = parse(change);
  return parsed.ok ? [] : parsed.faults.map(({ name, expected }) => `${name}: ${expected}`);
};

describe('registries are asked', () => {
  it.each([
    ['at their own hosts unless given', '', {}],
    ['elsewhere', 'quay.io=https://mirror.example', { 'quay.io': 'https://mirror.example' }],
    [
      'elsewhere, several',
      'quay.io=https://mirror.example, r.internal:5000=http://10.0.0.7:5000',
      { 'quay.io': 'https://mirror.example', 'r.internal:5000': 'http://10.0.0.7:5000' },
    ],
    [
      'at their own hosts, whatever the address',
      'a.azurecr.io=https://a.azurecr.io',
      { 'a.azurecr.io': 'https://a.azurecr.io' },
    ],
    [
      "by Docker Hub's short name",
      'docker.io=http://127.0.0.1:5000',
      { 'registry-1.docker.io': 'http://127.0.0.1:5000' },
    ],
    [
      "by Docker Hub's other name",
      'index.docker.io=http://[::1]:5000/',
      { 'registry-1.docker.io': 'http://[::1]:5000' },
    ],
  ])('%s: %s', (_, text, endpoints) => {
    const parsed = parse({ REGISTRY_ENDPOINTS: text });
    expect(parsed.ok && parsed.settings.REGISTRY_ENDPOINTS).toEqual(endpoints);
  });

  it.each([
    'quay.io',
    'quay.io=',
    '=https://a',
    'quay.io=mirror.example',
    'quay.io=ftp://a',
    'quay.io=https://a/path',
    'quay.io=https://u:p@a',
    'quay.io=https://a?x=1',
    'https://quay.io=https://a',
    'quay.io/team=https://a',
    'QUAY.io=https://a',
    'quay.io=https://a=b',
    'quay.io=https://a,',
    'quay.io=https://a,quay.io=https://b',
    'docker.io=https://a,index.docker.io=https://b',
  ])('nowhere by %s', (text) => {
    expect(faultsOf({ REGISTRY_ENDPOINTS: text })).toEqual([expect.stringMatching(/^REGISTRY_ENDPOINTS: HOST=ORIGIN/)]);
  });

  it('as an identity that is a GUID', () => {
    expect(faultsOf({ REGISTRY_PULL_CLIENT_ID: 'pull' })).toEqual([
      expect.stringMatching(/^REGISTRY_PULL_CLIENT_ID: a GUID/),
    ]);
  });
});

describe('what an operator says of images', () => {
  it('has defaults', () => {
    const parsed = parse({ IMAGE_CONFIGS: JSON.stringify({ 'r.io:5000/app:1': { entrypoint: ['/app'] }, nginx: {} }) });
    const nothing = { entrypoint: [], cmd: [], user: '', workingDir: '', env: {} };
    expect(parsed.ok && parsed.settings.IMAGE_CONFIGS).toEqual({
      'r.io:5000/app:1': { ...nothing, entrypoint: ['/app'] },
      nginx: nothing,
    });
  });

  it('may be all that an image says', () => {
    const all = {
      entrypoint: ['/e'],
      cmd: ['c'],
      user: '1:2',
      workingDir: '/w',
      env: { A: 'b' },
      stopSignal: 'SIGQUIT',
    };
    const parsed = parse({ IMAGE_CONFIGS: JSON.stringify({ app: all }) });
    expect(parsed.ok && parsed.settings.IMAGE_CONFIGS).toEqual({ app: all });
  });

  it.each<[string, string, string]>([
    ['no JSON', '{', 'IMAGE_CONFIGS: valid JSON'],
    ['a list', '[]', 'IMAGE_CONFIGS: a JSON object of images and what they are'],
    ['a name that is none', '{"App":{}}', 'IMAGE_CONFIGS: names of images only'],
    ['a command that is a text', '{"app":{"cmd":"sh"}}', 'IMAGE_CONFIGS.app.cmd: a list of texts'],
    ['a member that nobody knows', '{"app":{"Cmd":[]}}', 'IMAGE_CONFIGS.app: only known members; remove "Cmd"'],
  ])('%s is refused', (_, text, fault) => {
    expect(faultsOf({ IMAGE_CONFIGS: text })).toEqual([fault]);
  });
});
