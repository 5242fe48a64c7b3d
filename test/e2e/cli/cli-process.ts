/** The command line as a process of its own, with all that it starts: to be killed. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../../../infra/local/up/host.ts';

export interface CliProcess {
  /** Resolves when it has written this line, and rejects when it ended before. */
  said(text: string): Promise<void>;
  /** SIGKILL to it and to every program it runs, as when the machine goes. */
  crash(): Promise<void>;
  /** SIGINT to it and to every program it runs, as a terminal does. */
  interrupt(): void;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

export function startCli(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CliProcess {
  const child = spawn(process.execPath, [join(repository, 'infra/cli/main.ts'), ...args], {
    env: { ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, stderr }));
  });
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, name);
  };
  return {
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!stderr.includes(text)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`ended before it said "${text}":\n${stderr}`)));
      }),
    crash: async () => {
      signal('SIGKILL');
      await ended;
    },
    interrupt: () => signal('SIGINT'),
  };
}
