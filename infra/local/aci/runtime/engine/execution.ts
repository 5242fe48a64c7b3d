import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { readBytes } from './client.ts';
import type { EngineClient } from './client.ts';
import { frameText } from './frames.ts';
import { signal } from './processes.ts';

export interface ExecutionOptions {
  readonly client: EngineClient;
  readonly id: string;
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

export interface ExecutionResult {
  readonly exitCode: number;
  readonly output: string;
}

/** What `timeout(1)` answers when it had to end a command. */
const timedOutCode = 124;

const created = z.object({ Id: z.string() });
const state = z.object({ ExitCode: z.number().nullish(), Pid: z.number().nullish() });

/** Runs a command in a running container. One that takes longer than `timeoutMs` is killed and ends with 124. */
export async function execute(options: ExecutionOptions): Promise<ExecutionResult> {
  const { client, id, command, timeoutMs } = options;
  const { Id: execution } = await client.json(created, {
    method: 'POST',
    path: `/containers/${id}/exec`,
    body: { Cmd: command, AttachStdout: true, AttachStderr: true },
  });
  const inspect = () => client.json(state, { method: 'GET', path: `/exec/${execution}/json` });
  let late = false;
  const answer = await client.stream({
    method: 'POST',
    path: `/exec/${execution}/start`,
    body: { Detach: false, Tty: false },
  });
  const timer = setTimeout(() => {
    late = true;
    inspect()
      .then(({ Pid: pid }) => killInside(id, pid ?? 0))
      // Whatever becomes of the process, the caller is answered in time.
      .finally(() => answer.destroy())
      .catch(() => undefined);
  }, timeoutMs);
  try {
    const output = frameText(await readBytes(answer));
    if (late) return { exitCode: timedOutCode, output };
    return { exitCode: (await inspect()).ExitCode ?? 0, output };
  } catch (error) {
    if (late) return { exitCode: timedOutCode, output: '' };
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The engines have no call that ends a command; its process is ours to kill if it is in the container's cgroup. */
function killInside(container: string, pid: number): void {
  if (pid > 1 && cgroupOf(pid).includes(container)) signal(pid, 'SIGKILL');
}

function cgroupOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return '';
  }
}
