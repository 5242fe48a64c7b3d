import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { Vanish } from './group-rules.ts';

/**
 * Gives rules to `iptables-restore --noflush` in the network namespace of a process, silent ones where the kernel has
 * them. Answers what iptables had against it; undefined: they hold.
 */
export async function restoreIn(pid: number, rules: (vanish: Vanish) => string): Promise<string | undefined> {
  const silent = await restore(pid, rules('silent'));
  return silent === undefined ? undefined : restore(pid, rules('DROP'));
}

/** Lets a network namespace send on what comes to it for others; it does not point out shorter ways. */
export const forwardIn = (pid: number): Promise<string | undefined> =>
  inNetwork(
    pid,
    ['sh', '-c', 'cd /proc/sys/net/ipv4 && echo 1 > ip_forward && echo 0 | tee conf/*/send_redirects > /dev/null'],
    '',
  );

const restore = (pid: number, rules: string): Promise<string | undefined> =>
  inNetwork(pid, ['iptables-restore', '--noflush', '--wait', '5'], rules);

async function inNetwork(pid: number, command: readonly string[], input: string): Promise<string | undefined> {
  const args = [`--net=/proc/${pid}/ns/net`, ...command];
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  const child = spawn('nsenter', args, { env, stdio: ['pipe', 'ignore', 'pipe'] });
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (code) => resolve(code ?? 1));
  });
  child.stdin.on('error', () => undefined); // one that fails early does not read all its input
  child.stdin.end(input);
  const [code, stderr] = await Promise.all([ended, text(child.stderr)]);
  return code === 0 ? undefined : stderr.trim() || `code ${code}`;
}
