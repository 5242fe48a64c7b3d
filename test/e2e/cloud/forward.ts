import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { target, until } from './cloud.ts';

interface Forwarding {
  /** Without a slash at its end. */
  readonly url: string;
  /** To be killed. */
  readonly child: ChildProcess;
}

/** Starts `kubectl port-forward`, and waits until it listens; rejects with what it said where it does not. */
export async function forward(
  { namespace, pod, port }: { readonly namespace: string; readonly pod: string; readonly port: number },
  env: Readonly<Record<string, string>>,
): Promise<Forwarding> {
  const args = ['--kubeconfig', target.kubeconfig, 'port-forward', '-n', namespace, `pod/${pod}`, `:${port}`];
  const child = spawn(target.binary, args, { env: { ...process.env, KUBERC: 'off', ...env } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const seen = await until(
    'it listens',
    async () => said,
    (text) => /127\.0\.0\.1:\d+|rror/.test(text),
    60_000,
  );
  const local = /127\.0\.0\.1:(\d+)/.exec(seen)?.[1];
  if (local === undefined) throw new Error(seen);
  return { url: `http://127.0.0.1:${local}`, child };
}
