/** `npm start` where there is nothing but Node: no Go, no kubectl, no container engine, no bubblewrap. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isPortFree } from '../../infra/local/ports.ts';
import { repository } from '../../infra/local/up/host.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'start-embedded-'));
  for (const name of ['bin', 'home', 'tmp']) mkdirSync(join(root, name));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Start {
  readonly child: ChildProcess;
  /** Code, and what it wrote. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
}

const start = (state: string, ...options: readonly string[]): Start =>
  runProgram('up.ts', '--runtime', 'process', '--dir', join(root, state), ...options);

function runProgram(program: string, ...args: readonly string[]): Start {
  const child = spawn(process.execPath, [join(repository, 'infra/local', program), ...args], {
    env: { PATH: join(root, 'bin'), HOME: join(root, 'home'), TMPDIR: join(root, 'tmp') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { promise: exited, resolve } = Promise.withResolvers<number | null>();
  child.once('exit', resolve);
  const { stdout, stderr } = child;
  const ended = Promise.all([exited, text(stdout), text(stderr)]).then(([code, out, err]) => ({
    code,
    output: `${out}${err}`,
  }));
  return { child, ended };
}

/** Processes with the test's folder in their command line or environment. */
function processesLeft(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const [command = '', environment = ''] = ['cmdline', 'environ'].map((file) =>
        readOrEmpty(`/proc/${pid}/${file}`),
      );
      return command.includes(root) || environment.includes(root) ? [`${pid} ${command.replaceAll('\0', ' ')}`] : [];
    });
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function expectNothingLeft(output: string): Promise<void> {
  expect(processesLeft()).toEqual([]);
  const ports = [...output.matchAll(/127\.0\.0\.1:(\d+)|kubelet port (\d+)/g)].map(([, one, two]) =>
    Number(one ?? two),
  );
  expect(ports.length).toBeGreaterThanOrEqual(5);
  for (const port of ports) expect(await isPortFree(port)).toBe(true);
  expect(readdirSync(join(root, 'home'))).toEqual([]);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
}

describe('npm start with Node alone', () => {
  it('takes the embedded cluster by itself, shows pods with exit codes and logs within a minute, and leaves nothing', async () => {
    const { code, output } = await start('state', '--exit').ended;
    expect(output).toMatch(/the cluster is embedded: .* no Deployments/);
    expect(output).toMatch(/for a real one: Go 1\.\d+ or newer is needed/);
    expect(output).toContain('they are processes of your own user');
    expect(output).toContain('deployment.yaml is left out: it needs');
    expect(output).toMatch(/── exit-code\.yaml: as it should be\n(.*\n)?about to fail/);
    expect(output).toMatch(/tick at \d\d:\d\d:\d\d/);
    expect(output).toMatch(/exit-3 .*PUT accepted .*Failed/);
    const [, seconds] = /first pod Running (\d+)\.\d s after the start/.exec(output) ?? [];
    expect(Number(seconds)).toBeLessThan(60);
    expect(code).toBe(0);
    await expectNothingLeft(output);

    const again = await start('state', '--exit', '--cluster', 'embedded').ended;
    expect(again.output).toMatch(/── ticker\.yaml: as it should be/);
    expect(again.code).toBe(0);
    await expectNothingLeft(again.output);
  });

  it('that fails while its parts come up ends with 1, and leaves nothing', async () => {
    for (const wrong of [
      ['--kubeconfig', '/nope'],
      ['--cluster', 'embedded', '--runtime', 'engine'],
    ]) {
      const { code, output } = await start('state', ...wrong, '--exit').ended;
      expect(output).toMatch(/kubectl cannot be started|\/nope|Podman/);
      expect(code).toBe(1);
      expect(processesLeft()).toEqual([]);
    }
  });

  it('two run side by side, a third in the same folder is refused, and Ctrl-C ends each', async () => {
    const options = ['--cluster', 'embedded', '--no-examples'];
    const both = [start('one', ...options), start('two', ...options)];
    await Promise.all(both.map(({ child }) => untilSaid(child, 'Ctrl-C ends everything')));
    const third = await start('one', ...options).ended;
    expect(third).toMatchObject({ code: 1, output: expect.stringContaining('is in use by process') });
    for (const [command, healthy] of [
      ['status', 'Nothing needs attention.'],
      ['doctor', '0 warnings, 0 failed'],
    ] as const) {
      const { code, output } = await runProgram('ask.ts', command, '--dir', join(root, 'two')).ended;
      expect(output).toContain(healthy);
      expect(code).toBe(0);
    }
    for (const { child } of both) child.kill('SIGINT');
    for (const { code, output } of await Promise.all(both.map(({ ended }) => ended))) {
      expect(code).toBe(0);
      expect(output).toContain('there is no kubectl in the PATH');
      expect(output).toContain('stopping everything');
    }
    await expectNothingLeft((await Promise.all(both.map(({ ended }) => ended))).map(({ output }) => output).join());
  });
});

async function untilSaid(child: ChildProcess, wanted: string): Promise<void> {
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (said.includes(wanted)) return;
    if (child.exitCode !== null) break;
    await sleep(200);
  }
  throw new Error(`never said "${wanted}": ${said}`);
}
