/** kubectl exec, cp, attach and port-forward on the whole cloud: API server, relay, app, ARM, and a container of the engine's. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectl as runKubectl } from '../../../infra/local/cluster/kubectl.ts';
import type { KubectlResult, KubectlRun } from '../../../infra/local/cluster/kubectl.ts';
import {
  apply,
  createNamespace,
  dir,
  field,
  journal,
  kubectl,
  phase,
  pod,
  removeNamespace,
  target,
  until,
} from './cloud.ts';

const namespace = 'k-exec';
const here = mkdtempSync(join(tmpdir(), 'k-exec-'));
/** Says something each second, serves what it is asked over TCP, ends when a file is there. */
const program = [
  'echo started',
  'mkdir -p /srv && echo welcome >/srv/index.html',
  '(httpd -f -p 8080 -h /srv &)',
  'while [ ! -e /srv/end ]; do echo tick; sleep 1; done',
  'exit 3',
].join('; ');

const run = (args: readonly string[], options: KubectlRun = {}): Promise<KubectlResult> =>
  runKubectl(args, { ...target, timeoutMs: 60_000, ...options });
const exec = (args: readonly string[], options: KubectlRun = {}): Promise<KubectlResult> =>
  run(['exec', '-n', namespace, ...args], options);
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const spdy = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' };

describe('kubectl exec and its kin', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(
      pod('web', { namespace, command: ['sh', '-c', program], container: { ports: [{ containerPort: 8080 }] } }),
      pod('over', { namespace, command: ['true'] }),
    );
    await until(
      'web runs',
      () => phase('web', namespace),
      (seen) => seen === 'Running',
      120_000,
    );
  });

  afterAll(async () => {
    await removeNamespace(namespace);
    rmSync(here, { recursive: true, force: true });
  });

  it('the node declares that its relay speaks WebSocket', async () => {
    const declared = await until(
      'it does',
      () => field('node', 'aci-1', '{.status.declaredFeatures[*]}'),
      (features) => features !== '',
      330_000,
    );
    expect(declared).toBe('ExtendWebSocketsToKubelet');
  });

  it.each([
    ['a WebSocket', {}],
    ['SPDY', spdy],
  ])('exec over %s: output, errors and the exit code; arguments and input byte for byte', async (_, env) => {
    expect(await exec(['web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'], { env })).toEqual({
      code: 7,
      stdout: 'out\n',
      stderr: 'err\ncommand terminated with exit code 7\n',
    });
    const words = ['a b', '', "it's", '"$HOME"', '\n', 'é'];
    const { stdout } = await exec(['web', '--', 'printf', '<%s>', ...words], { env });
    expect(stdout).toBe(words.map((word) => `<${word}>`).join(''));
    const input = randomBytes(40_000);
    const summed = await exec(['-i', 'web', '--', 'sha256sum'], { env, input });
    expect([summed.stdout, summed.code]).toEqual([`${hash(input)}  -\n`, 0]);
  });

  it('cp there and back', async () => {
    const content = randomBytes(200_000);
    writeFileSync(join(here, 'bytes'), content);
    expect(await run(['cp', '-n', namespace, join(here, 'bytes'), 'web:/srv/bytes'])).toMatchObject({ code: 0 });
    expect(await run(['cp', '-n', namespace, 'web:/srv/bytes', join(here, 'back')])).toMatchObject({ code: 0 });
    expect(hash(readFileSync(join(here, 'back')))).toBe(hash(content));
  });

  it('a terminal of the size of the window', async () => {
    const command = `exec -n ${namespace} -it web -- sh -c 'stty size; exit 5'`;
    const shell = `stty rows 33 cols 111; ${target.binary} --kubeconfig ${target.kubeconfig} ${command}; echo "code $?"`;
    const child = spawn('script', ['-qfec', shell, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    await until(
      'the end',
      async () => shown,
      (text) => /code \d+/.test(text),
      30_000,
    );
    child.stdin.end();
    expect(shown).toMatch(/33 111\r+\n/);
    expect(shown).toMatch(/code 5\r+\n/);
  });

  it('port-forward to what the container serves', async () => {
    const child = spawn(target.binary, [
      '--kubeconfig',
      target.kubeconfig,
      'port-forward',
      '-n',
      namespace,
      'pod/web',
      ':8080',
    ]);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    try {
      const seen = await until(
        'it listens',
        async () => said,
        (text) => /127\.0\.0\.1:\d+/.test(text),
        30_000,
      );
      const port = /127\.0\.0\.1:(\d+)/.exec(seen)?.[1] ?? '';
      const texts = await Promise.all(
        Array.from({ length: 10 }, async () => (await fetch(`http://127.0.0.1:${port}/`)).text()),
      );
      expect(new Set(texts)).toEqual(new Set(['welcome\n']));
    } finally {
      child.kill();
    }
  });

  it('what can not be is said in one sentence', async () => {
    expect((await exec(['web', '--', 'no-such-program'])).stderr).toContain(
      'exec: "no-such-program": executable file not found in $PATH',
    );
    await until(
      'over has ended',
      () => phase('over', namespace),
      (seen) => seen === 'Succeeded',
      120_000,
    );
    expect((await exec(['over', '--', 'ls'])).stderr).toMatch(/cannot exec into a container in a completed pod/);
  });

  it('ten at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, (_, index) => exec(['web', '--', 'sh', '-c', `exit ${index}`])),
    );
    expect(all.map(({ code }) => code)).toEqual(all.map((_, index) => index));
  });

  it('attach shows what it writes until it ends; logs have all of it, and its exit code is its own', async () => {
    const attached = run(['attach', '-n', namespace, 'web'], { timeoutMs: 120_000 });
    await until(
      'it is attached',
      journal,
      (requests) => requests.some(({ path }) => /\/attach(\?|$)/.test(path)),
      30_000,
    );
    await exec(['web', '--', 'sh', '-c', 'sleep 3; touch /srv/end']);
    const { code, stdout } = await attached;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^(tick\n)+$/);
    await until(
      'the end',
      () => phase('web', namespace),
      (seen) => seen === 'Failed',
      120_000,
    );
    expect(await field('pod', 'web', '{.status.containerStatuses[0].state.terminated.exitCode}', namespace)).toBe('3');
    expect((await kubectl(['logs', '-n', namespace, 'web'])).stdout).toMatch(/^started\n(tick\n)+$/);
  });

  it('no session is in a log: neither where it was, nor its password', () => {
    const files = globSync('logs/{relay.log,functions*,functions/*}', { cwd: dir }).map((file) => join(dir, file));
    const logs = files.filter((file) => statSync(file).isFile());
    expect(logs.length).toBeGreaterThan(2);
    expect(logs.filter((file) => /execstream|logstream|"password"/.test(readFileSync(file, 'utf8')))).toEqual([]);
  });
});
