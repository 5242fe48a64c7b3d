import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Program } from '../../ports/packaged-agent.ts';

const unpack = promisify(gunzip);

/**
 * Unpacked once to compare it: what is handed out to be run has to be what groups were made for. Undefined: it is
 * something else, or more than `maxBytes`.
 */
export async function checkedProgram(sha256: string, gzip: Uint8Array, maxBytes: number): Promise<Program | undefined> {
  let whole: Promise<Uint8Array> | undefined;
  const unpacked = () => (whole ??= unpack(gzip, { maxOutputLength: maxBytes }));
  const isRight = await unpack(gzip, { maxOutputLength: maxBytes }).then(
    (content) => createHash('sha256').update(content).digest('hex') === sha256,
    () => false,
  );
  return isRight ? { sha256, gzip, unpacked } : undefined;
}
