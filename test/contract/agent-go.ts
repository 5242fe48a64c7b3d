import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { agentFolder, findAgentGo } from '../../infra/package/agent.ts';
import { GoToolchainError, goEnvironment } from '../../infra/package/go-toolchain.ts';

const run = promisify(execFile);

export const repository = join(import.meta.dirname, '..', '..');

/** Why nothing is tried that needs Go; the gate tries it in any case. */
export async function whyNoGo(): Promise<string | undefined> {
  if (process.env['CI'] === 'true') return undefined;
  try {
    const go = await findAgentGo(repository);
    // Of the standard library: what it takes a minute to compile.
    const stale = '{{if and .Stale .Standard}}{{.ImportPath}}{{end}}';
    const options = { cwd: agentFolder(repository), env: goEnvironment() };
    const { stdout } = await run(go, ['list', '-deps', '-test', '-f', stale, './...'], options);
    return stdout.trim() === ''
      ? undefined
      : 'Go has compiled nothing yet: `go test ./...` in infra/agent takes a minute';
  } catch (error) {
    if (error instanceof GoToolchainError) return 'there is no Go that is new enough';
    throw error;
  }
}
