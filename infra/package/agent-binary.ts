import { readFile } from 'node:fs/promises';

/** The variable that names a program that was built elsewhere. */
const variable = 'AGENT_BINARY';

/**
 * The agent for linux/amd64: a static program, the same bytes from the same sources. Undefined where it can't be made
 * here; the package is then without it, and pods that need it are refused. Cheap where nothing has changed since it was
 * called last. Throws where it could be made and was not, or is none: a package is not to lack it by accident.
 */
export async function agentBinary(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Buffer | undefined> {
  const file = environment[variable] ?? '';
  if (file === '') return undefined;
  const bytes = await readFile(file);
  const fault = programFault(bytes);
  if (fault !== undefined) throw new Error(`${variable} (${file}): ${fault}`);
  return bytes;
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
