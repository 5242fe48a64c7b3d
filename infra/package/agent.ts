/** The agent, built from `infra/agent` where Go is. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findGoToolchain, goEnvironment } from './go-toolchain.ts';
import type { GoToolchain } from './go-toolchain.ts';

const run = promisify(execFile);

export interface BuiltAgent {
  readonly file: string;
  readonly sha256: string;
}

export const agentFolder = (repository: string): string => join(repository, 'infra', 'agent');

/** What is needed, such as `1.26.0`: the line `go` of go.mod. */
function requiredGo(folder: string): string {
  const version = /^go (\S+)$/m.exec(readFileSync(join(folder, 'go.mod'), 'utf8'))?.[1];
  if (version === undefined) throw new Error(`${folder}/go.mod names no version of Go`);
  return version;
}

/** The Go that can build the agent, or a GoToolchainError. */
export const findAgentGo = (repository: string, where?: 'path'): Promise<GoToolchain> =>
  findGoToolchain(requiredGo(agentFolder(repository)), where);

/** Nothing of the machine, of the day or of the folder is in the program. */
const reproducible = ['-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid='];
const target = { CGO_ENABLED: '0', GOOS: 'linux', GOARCH: 'amd64', GOAMD64: 'v1', GOEXPERIMENT: '', GOFIPS140: 'off' };

/**
 * Builds the agent into a folder, in its place in one step. The same sources and the same Go give the same bytes. A missing or
 * too old Go is a GoToolchainError.
 */
export async function buildAgent(repository: string, into: string): Promise<BuiltAgent> {
  const { command } = await findAgentGo(repository);
  mkdirSync(into, { recursive: true });
  const [file, half] = [join(into, 'sk'), join(into, `.sk-${process.pid}`)];
  const env = { ...goEnvironment(), ...target };
  await run(command, ['build', ...reproducible, '-o', half, '.'], { cwd: agentFolder(repository), env });
  renameSync(half, file);
  return { file, sha256: createHash('sha256').update(readFileSync(file)).digest('hex') };
}
