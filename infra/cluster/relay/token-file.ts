import { readFile } from 'node:fs/promises';

/** Projected tokens are replaced at four fifths of their life; a minute late is early enough. */
const keepMs = 60_000;

/**
 * The token in a file that the kubelet rotates: read again after a minute, or at once when `fresh` is asked for because
 * it was refused. Rejects when the file can't be read or is empty.
 */
export function tokenFile(
  path: string,
  monotonic: () => number = () => performance.now(),
): (options?: { readonly fresh: boolean }) => Promise<string> {
  let known: { readonly token: string; readonly readAt: number } | undefined;
  return async ({ fresh } = { fresh: false }) => {
    if (known !== undefined && !fresh && monotonic() - known.readAt < keepMs) return known.token;
    const token = (await readFile(path, 'utf8')).trim();
    if (token === '') throw new Error(`${path} is empty`);
    known = { token, readAt: monotonic() };
    return token;
  };
}
