import { describe, expect, it } from 'vitest';
import { buildDeps } from '../../shared/app/load-deps.ts';
import { settingsOf } from '../fixtures/settings.ts';

describe('the dependencies of an environment', () => {
  it('are built without a call', async () => {
    expect(await buildDeps(settingsOf())).toMatchObject({ ok: true });
  });

  it('that lacks settings are the names of these', async () => {
    const built = await buildDeps({ ...settingsOf(), INSTALLATION: '' });
    expect(built).toEqual({ ok: false, problem: 'settings', message: 'INSTALLATION: set it; it is required' });
  });

  it.each([
    ['/nowhere/ca.pem', 'ARM_CERTIFICATE_AUTHORITY_FILE'],
    ['.', 'ARM_CERTIFICATE_AUTHORITY_FILE'],
    ['/nowhere/ca.pem', 'REGISTRY_CERTIFICATE_AUTHORITY_FILE'],
  ])('whose file %s can’t be read are the fault of %s, not a crash', async (file, setting) => {
    const built = await buildDeps({ ...settingsOf(), [setting]: file });
    expect(built).toEqual({
      ok: false,
      problem: 'settings',
      message: `${setting}: the path of a PEM file that can be read`,
    });
  });
});
