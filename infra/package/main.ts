/** `npm run build` (`dist/` from the sources) and `npm run package` (that, one zip of the function app, and the agent). */
import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import { buildAgent } from './agent.ts';
import { buildDist, packageApp } from './dist.ts';
import { GoToolchainError } from './go-toolchain.ts';

const repository = join(import.meta.dirname, '..', '..');
const usage = 'usage: node infra/package/main.ts build | package';

const shown = (file: string, bytes: string, sha256: string): string =>
  `${relative(process.cwd(), file)}  ${bytes}  sha256 ${sha256}\n`;

async function packageAll(): Promise<void> {
  const { file, bytes } = await packageApp(repository);
  process.stdout.write(shown(file, `${bytes.length} bytes`, createHash('sha256').update(bytes).digest('hex')));
  try {
    const agent = await buildAgent(repository, join(repository, 'dist', 'agent'));
    const size = `${agent.bytes} bytes, ${agent.compressedBytes} compressed`;
    process.stdout.write(shown(agent.file, size, agent.sha256));
  } catch (error) {
    if (!(error instanceof GoToolchainError)) throw error;
    process.stdout.write(
      'The agent is not built, and pods that need it are refused: there is no Go that is new enough.\n',
    );
  }
}

async function main(command: string | undefined): Promise<number> {
  switch (command) {
    case 'build':
      await buildDist(repository);
      return 0;
    case 'package':
      await packageAll();
      return 0;
    default:
      process.stderr.write(`${usage}\n`);
      return 2;
  }
}

process.exitCode = await main(process.argv[2]);
