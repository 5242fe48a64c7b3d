import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAgent, findAgentGo } from './agent.ts';
import { GoToolchainError } from './go-toolchain.ts';

/** The variable that names a program that was built elsewhere. */
const variable = 'AGENT_BINARY';

/** How the `id` of an agent begins that Go has built. */
export const byGo = 'Go ';

/** Where the agent comes from. */
export interface AgentSource {
  /** Another one wherever the same sources would give another program. */
  readonly id: string;
  /** The agent for linux/amd64: a static program. Takes Go a second, and a minute where it has compiled nothing yet. */
  readonly program: () => Promise<Buffer>;
}

/**
 * What is named, else what Go makes of `infra/agent`. Undefined where the PATH has no Go that is new enough: the package is then
 * without the agent, and pods that need it are refused. Throws, as `program` does, where it could be made and was not, or is
 * none: a package is not to lack it by accident.
 */
export async function agentSource(
  repository: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<AgentSource | undefined> {
  const file = environment[variable] ?? '';
  if (file !== '') return givenAgent(file);
  try {
    const { version } = await findAgentGo(repository, 'path');
    return { id: `${byGo}${version}`, program: () => builtAgent(repository) };
  } catch (error) {
    if (error instanceof GoToolchainError) return undefined;
    throw error;
  }
}

async function givenAgent(file: string): Promise<AgentSource> {
  const bytes = await readFile(file);
  const fault = programFault(bytes);
  if (fault !== undefined) throw new Error(`${variable} (${file}): ${fault}`);
  return { id: createHash('sha256').update(bytes).digest('hex'), program: () => Promise.resolve(bytes) };
}

async function builtAgent(repository: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'agent-'));
  try {
    return await readFile((await buildAgent(repository, folder)).file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const elf64LittleEndian = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const x86 = 0x3e;
const fileHeaderBytes = 64;
const interpreter = 3;

/** Why these bytes are no static program for linux/amd64, which is all that runs in any image; undefined: they are one. */
export function programFault(bytes: Buffer): string | undefined {
  if (bytes.length < fileHeaderBytes || !bytes.subarray(0, elf64LittleEndian.length).equals(elf64LittleEndian))
    return 'no program of Linux';
  if (bytes.readUInt16LE(18) !== x86) return 'no program for amd64';
  const [table, size, count] = [Number(bytes.readBigUInt64LE(32)), bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  if (table + size * count > bytes.length) return 'a program that was cut off';
  const kinds = Array.from({ length: count }, (_, index) => bytes.readUInt32LE(table + size * index));
  return kinds.includes(interpreter) ? 'not static: it asks for a loader, which images of scratch have not' : undefined;
}
