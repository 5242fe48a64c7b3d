/** The parameter files, and azure.yaml against them. What they hold is the compiler's to judge: `npm run check:bicep`. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from './snapshots.ts';

const repository = join(import.meta.dirname, '..', '..', '..');
const files = globSync('*.bicepparam', { cwd: root }).sort();

it.each(files)('%s uses main.bicep', (file) => {
  expect(/^using '(.+)'$/m.exec(readFileSync(join(root, file), 'utf8'))?.[1]).toBe('./main.bicep');
});

describe('azure.yaml', () => {
  const azd = parse(readFileSync(join(repository, 'azure.yaml'), 'utf8'));

  it('provisions main.bicep, with the parameter file of the same name', () => {
    expect(azd.infra).toEqual({ provider: 'bicep', path: 'infra/azure', module: 'main' });
    expect(files).toContain(`${azd.infra.module}.bicepparam`);
    expect(normalize(join(repository, azd.infra.path))).toBe(dirname(join(root, 'main.bicep')));
  });

  it('deploys what `npm run package` makes, to the app that is tagged with the service’s name', () => {
    expect(Object.values(azd.services)).toEqual([
      { project: 'dist/app', language: 'js', host: 'function', remoteBuild: false },
    ]);
    const [name] = Object.keys(azd.services);
    expect(readFileSync(join(root, 'modules', 'function-app.bicep'), 'utf8')).toContain(
      `'azd-service-name': '${name}'`,
    );
    expect([azd.hooks.prepackage.posix.run, azd.hooks.prepackage.windows.run]).toEqual([
      'npm run package',
      'npm run package',
    ]);
    const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    expect(scripts).toHaveProperty('package');
  });
});
