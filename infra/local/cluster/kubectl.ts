/** The built kubectl, run against one kubeconfig and nothing of the user's own. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { defined } from '../../../shared/core/defined.ts';

/** Which kubectl, against which cluster. */
export interface KubectlTarget {
  /** Path of the program. */
  readonly binary: string;
  /** Path of the kubeconfig. */
  readonly kubeconfig: string;
  /** Where it keeps what it learned of the API; its own folder under the user's home unless given. */
  readonly cacheDir?: string;
}

/** What a run is given besides its arguments. */
export interface KubectlRun {
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** Besides what it is given in any case. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What came of a run. A non-zero code is a value, not an exception. */
export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs kubectl with `input` on its standard input. Rejects only when the program cannot be started; one that takes
 * longer than `timeoutMs` (60 s) is killed and has the code 124.
 */
export async function kubectl(args: readonly string[], target: KubectlTarget & KubectlRun): Promise<KubectlResult> {
  const child = spawn(target.binary, ['--kubeconfig', target.kubeconfig, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      KUBECONFIG: target.kubeconfig,
      KUBERC: 'off',
      ...defined({ KUBECACHEDIR: target.cacheDir }),
      ...target.env,
    },
  });
  const { promise: closed, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', (error) => reject(new Error(`${target.binary} cannot be started: ${error.message}`)));
  child.once('close', (code) => resolve(code ?? 124));
  child.stdin.on('error', () => undefined); // a kubectl that ends early does not read all its input
  child.stdin.end(target.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), target.timeoutMs ?? 60_000);
  try {
    const [code, stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
    return { code, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}

/** As {@link kubectl}, for a run that has to succeed: its output, or an error with what kubectl said. */
export async function kubectlOutput(args: readonly string[], target: KubectlTarget & KubectlRun): Promise<string> {
  const { code, stdout, stderr } = await kubectl(args, target);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed with code ${code}: ${stderr.trim()}`);
  return stdout;
}
