import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';

const source = join(import.meta.dirname, 'fixture-app');
const files = ['http', 'timers', 'hooks'];

/** The fixture app as JavaScript: the real host's worker loads no TypeScript. */
export function packFixture(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const file of files)
    writeFileSync(
      join(folder, `${file}.js`),
      stripTypeScriptTypes(readFileSync(join(source, `${file}.ts`), 'utf8'), { mode: 'transform' }),
    );
  cpSync(join(source, 'host.json'), join(folder, 'host.json'));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'fixture-app', type: 'module', main: `{${files.join(',')}}.js` }),
  );
  symlinkSync(join(import.meta.dirname, '..', '..', '..', 'node_modules'), join(folder, 'node_modules'), 'junction');
  return folder;
}
