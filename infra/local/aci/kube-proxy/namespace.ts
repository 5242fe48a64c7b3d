import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { staleFlows } from './conntrack.ts';
import { installedBy, parseSaved, restoreText } from './restore-text.ts';
import type { Installed } from './restore-text.ts';
import type { Ruleset } from './rules.ts';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of this machine; a missing one has the code 127. */
async function run(program: string, args: readonly string[], input = ''): Promise<Outcome> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (code) => resolve(code ?? 1));
  });
  child.stdin.on('error', () => undefined); // one that fails early does not read all its input
  child.stdin.end(input);
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

/** The rules of the network namespace that this process is in. */
export class NamespaceRules {
  readonly #log: (line: string) => void;
  #installed: Installed | undefined;
  #applied: { readonly text: string; readonly udp: Ruleset['udp'] } = { text: '', udp: new Map() };
  #hasConntrack = true;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Makes `wanted` all that there is of ours; throws with iptables' own words, and leaves what was. */
  async apply(wanted: Ruleset): Promise<'applied' | 'unchanged'> {
    this.#installed ??= parseSaved((await run('iptables-save', [])).stdout);
    const after = installedBy(wanted);
    const text = restoreText(wanted, after);
    if (text === this.#applied.text) return 'unchanged';
    const { code, stderr } = await run(
      'iptables-restore',
      ['--noflush', '--wait', '5'],
      restoreText(wanted, this.#installed),
    );
    if (code !== 0) {
      this.#installed = undefined;
      throw new Error(`iptables-restore: ${code === 127 ? 'not found' : stderr.trim()}`);
    }
    const { udp } = this.#applied;
    this.#installed = after;
    this.#applied = { text, udp: wanted.udp };
    for (const args of staleFlows(udp, wanted.udp)) await this.#forget(args);
    return 'applied';
  }

  async #forget(args: readonly string[]): Promise<void> {
    if (!this.#hasConntrack) return;
    // A code other than 0 means that there was nothing to forget.
    this.#hasConntrack = (await run('conntrack', args)).code !== 127;
    if (!this.#hasConntrack)
      this.#log(
        'no conntrack: a UDP flow in use stays with an endpoint that has gone (Debian: apt-get install conntrack)',
      );
  }
}
