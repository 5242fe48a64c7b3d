import { spawn } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Terminal, TerminalSize } from '../runtime.ts';
import { bytesOf, merged, written } from '../terminals.ts';
import { onPath } from './backend.ts';
import type { EngineClient } from './client.ts';

const inspected = z.object({ OCIRuntime: z.string(), OCIConfigPath: z.string() });
/** How a container's first process was started; what is not named here is passed on as it is. */
const bundle = z.object({ process: z.looseObject({ env: z.array(z.string()).default([]) }) });

const helper = join(import.meta.dirname, 'console.py');

/**
 * Runs a command in a container of Podman by the program that Podman itself runs containers with (runc, crun), whose
 * console a few lines of Python hold. Podman's own way was tried: what is typed faster than it is read is lost in it, and
 * a program that does not read keeps its container from being removed. `undefined` where this machine lacks what it takes.
 */
export async function openByRuntime(
  { client, id }: { readonly client: EngineClient; readonly id: string },
  command: readonly string[],
  size: TerminalSize,
): Promise<Terminal | undefined> {
  const found = await client.json(inspected, { method: 'GET', path: `/libpod/containers/${id}/json` });
  const [python, runtime] = [onPath('python3'), onPath(found.OCIRuntime)];
  const config = await readIfThere(found.OCIConfigPath);
  if (python === undefined || runtime === undefined || config === undefined) return undefined;
  // Not in the state folder: a socket's path is short. It holds the container's environment, for a moment.
  const folder = await mkdtemp(join(tmpdir(), 'console-'));
  await writeFile(join(folder, 'process.json'), JSON.stringify(processOf(config, command, size)), { mode: 0o600 });
  const files = { '--console-socket': 'socket', '--pid-file': 'pid', '--process': 'process.json' };
  const options = Object.entries(files).flatMap(([option, name]) => [option, join(folder, name)]);
  const child = spawn(
    python,
    [helper, folder, runtime, '--log', '/dev/null', 'exec', '--detach', ...options, id],
    // A group of its own: a Ctrl-C in the terminal of whoever runs the emulator is not for it.
    { cwd: '/', env: { PATH: process.env['PATH'] }, detached: true, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  child.stdin.on('error', () => undefined);
  return { output: bytesOf(merged(child)), type: (bytes) => written(child.stdin, bytes) };
}

function processOf(config: string, command: readonly string[], { rows, columns }: TerminalSize): object {
  const { process: first } = bundle.parse(JSON.parse(config));
  const env = [...first.env.filter((entry) => !entry.startsWith('TERM=')), 'TERM=xterm'];
  return { ...first, args: command, env, terminal: true, consoleSize: { height: rows, width: columns } };
}

/** A container that is just being removed has none any more. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
