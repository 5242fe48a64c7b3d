/** `npm run build` (`dist/` from the sources) and `npm run package` (that, and one zip of the function app). */
import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import { buildDist, packageApp } from './dist.ts';

const repository = join(import.meta.dirname, '..', '..');
const usage = 'usage: node infra/package/main.ts build | package';

async function main(command: string | undefined): Promise<number> {
  switch (command) {
    case 'build':
      await buildDist(repository);
      return 0;
    case 'package': {
      const { file, bytes } = await packageApp(repository);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      process.stdout.write(`${relative(process.cwd(), file)}  ${bytes.length} bytes  sha256 ${sha256}\n`);
      return 0;
    }
    default:
      process.stderr.write(`${usage}\n`);
      return 2;
  }
}

process.exitCode = await main(process.argv[2]);
