import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply, createNamespace, kubectl, phase, pod, record, removeNamespace, until } from './cloud.ts';

const namespace = 'b-logs';
const printed = 'for i in 1 2 3 4 5; do echo line $i; sleep 1; done; echo to stderr >&2; exit 3';
const slow = 'i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo tick $i; sleep 1; done';
const shell = (script: string): string[] => ['sh', '-c', script];

const logs = (...args: string[]) => kubectl(['logs', '-n', namespace, ...args]);

describe('kubectl logs', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(
      pod('finished', { namespace, command: shell(printed) }),
      pod('slow', { namespace, command: shell(slow) }),
      pod('no-image', { namespace, image: 'busybox:no-such-tag' }),
    );
  });

  afterAll(() => removeNamespace(namespace));

  it('-f shows each line once, while the container runs, and ends when it ends', async () => {
    await until(
      'the slow printer runs',
      () => phase('slow', namespace),
      (seen) => seen !== 'Pending',
      120_000,
    );
    const followed = await follow('slow');
    const ticks = Array.from({ length: 20 }, (_, index) => `tick ${index + 1}`);
    expect(followed.lines).toEqual(ticks);
    expect(followed.code).toBe(0);
    // Lines came in several portions and not all at the end: it was read while the container ran.
    expect(followed.portions).toBeGreaterThanOrEqual(3);
    expect(followed.phaseAtFirstLine).toBe('Running');
  });

  it('of a finished pod shows all that it printed, and -f returns at once', async () => {
    await until(
      'finished',
      () => phase('finished', namespace),
      (seen) => seen === 'Failed',
    );
    const whole = await logs('finished');
    expect(whole.stdout.split('\n').sort()).toEqual(
      ['', 'line 1', 'line 2', 'line 3', 'line 4', 'line 5', 'to stderr'].sort(),
    );
    expect((await logs('-f', 'finished')).stdout).toBe(whole.stdout);
  });

  it('--tail, --since, --timestamps and --limit-bytes choose from it', async () => {
    expect((await logs('slow', '--tail=2')).stdout).toBe('tick 19\ntick 20\n');
    expect((await logs('slow', '--limit-bytes=9')).stdout).toBe('tick 1\nti');
    expect((await logs('slow', '--since=1h')).stdout).toContain('tick 1\n');
    const stamped = (await logs('slow', '--timestamps')).stdout.trim().split('\n');
    expect(stamped).toHaveLength(20);
    for (const line of stamped) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z tick \d+$/);
    const seventh = stamped[6]?.split(' ')[0] ?? '';
    expect((await logs('slow', `--since-time=${seventh}`)).stdout).toMatch(/^tick [678]\n/);
    await until(
      '--since leaves the old lines out',
      async () => (await logs('slow', '--since=1s')).stdout,
      (text) => text === '',
      20_000,
    );
  });

  it('what can not be shown is said: -p, an unknown container, a pod without its image', async () => {
    const previous = await logs('-p', 'finished');
    expect(previous.code).not.toBe(0);
    expect(previous.stderr).toContain('previous terminated container "main" in pod "finished" not found');
    const unknown = await logs('finished', '-c', 'other');
    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toContain('container other is not valid for pod finished');
    await until(
      'a reason for no log',
      async () => (await logs('no-image')).stderr,
      (text) => /is waiting to start: (image can't be pulled|trying and failing to pull image)/.test(text),
    );
  });
});

interface Followed {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly portions: number;
  readonly phaseAtFirstLine: string;
}

function follow(name: string): Promise<Followed> {
  const child = spawn(record.kubectl, ['--kubeconfig', record.kubeconfig, 'logs', '-f', '-n', namespace, name]);
  let text = '';
  let portions = 0;
  let seen: Promise<string> = Promise.resolve('');
  child.stdout.on('data', (chunk: Buffer) => {
    if (portions === 0) seen = phase(name, namespace);
    portions += 1;
    text += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      void seen.then(
        (phaseAtFirstLine) => resolve({ code, lines: text.trimEnd().split('\n'), portions, phaseAtFirstLine }),
        reject,
      );
    });
  });
}
