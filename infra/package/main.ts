/** `npm run build` (`dist/` from the sources, with the agent where Go is) and `npm run package` (that, and one zip of the function app). */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { agentPackageSchema } from '../../shared/wire/agent-package.ts';
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
      process.stdout.write(describeAgent(join(repository, 'dist', 'agent')));
      return 0;
    }
    default:
      process.stderr.write(`${usage}\n`);
      return 2;
  }
}

/** What is in the package of the agent, in a line. */
function describeAgent(folder: string): string {
  const file = join(folder, 'agent.json');
  if (!existsSync(file))
    return 'The agent is not built, and pods that need it are refused: there is no Go that is new enough, and AGENT_BINARY names no program.\n';
  const { sha256, bytes } = agentPackageSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const size = `${bytes} bytes, ${readFileSync(join(folder, 'sk.gz')).length} compressed`;
  return `${relative(process.cwd(), join(folder, 'sk'))}  ${size}  sha256 ${sha256}\n`;
}

process.exitCode = await main(process.argv[2]);
