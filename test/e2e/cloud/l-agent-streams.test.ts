/** kubectl exec, cp, attach and port-forward through the agent, on the whole cloud: with real kubectl, down to real containers. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectl as runKubectl } from '../../../infra/local/cluster/kubectl.ts';
import type { KubectlResult, KubectlRun } from '../../../infra/local/cluster/kubectl.ts';
import { changeSettings, settings } from './app-settings.ts';
import { apply, createNamespace, field, journal, output, phase, pod, removeNamespace, target, until } from './cloud.ts';
import { forward } from './forward.ts';

const namespace = 'l-agent-streams';
const before = settings();
const published = before['AGENT_IMAGE'];
const here = mkdtempSync(join(tmpdir(), 'l-agent-streams-'));
const spdy = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' };

const sh = (script: string, ...args: readonly string[]): readonly string[] => ['sh', '-c', script, ...args];
const run = (args: readonly string[], options: KubectlRun = {}): Promise<KubectlResult> =>
  runKubectl(args, { ...target, timeoutMs: 120_000, ...options });
const exec = (args: readonly string[], options: KubectlRun = {}): Promise<KubectlResult> =>
  run(['exec', '-n', namespace, ...args], options);
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const runs = (name: string): Promise<string> =>
  until(
    `${name} runs`,
    () => phase(name, namespace),
    (seen) => seen === 'Running',
    180_000,
  );
const isReady = (name: string): Promise<string> =>
  until(
    `${name} has started`,
    () => field('pod', name, '{.status.containerStatuses[0].state.running.startedAt}', namespace),
    (seen) => seen !== '',
    180_000,
  );
const exitCodeOf = (name: string): Promise<string> =>
  until(
    `${name} has ended`,
    () => field('pod', name, '{.status.containerStatuses[0].state.terminated.exitCode}', namespace),
    (seen) => seen !== '',
    180_000,
  );

/** How many sessions ARM was asked for. */
const asked = async (): Promise<number> => {
  // A connection that was kept may be closed at the moment at which it is used again.
  const requests = await journal().catch(() => journal());
  return requests.filter(({ method, path }) => method === 'POST' && /\/exec(\?|$)/.test(path)).length;
};

/** It has the agent, whatever else it asks for. */
const wrapped = (script: string, more: object = {}): object => ({
  namespace,
  restartPolicy: 'Always',
  command: sh(script),
  container: { livenessProbe: { tcpSocket: { port: 8080 }, initialDelaySeconds: 5, failureThreshold: 100 }, ...more },
});

/** One of several containers. */
const mixed = (name: string, more: object = {}): object => ({
  name,
  image: 'busybox:1.36',
  command: ['sleep', '3600'],
  ...more,
});

const port = 8080;
const serving = 'mkdir -p /srv && echo welcome >/srv/index.html; exec httpd -f -p 127.0.0.1:8080 -h /srv';

describe.runIf(published !== undefined)('kubectl and the agent of a pod', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(
      pod('web', wrapped(serving, { env: [{ name: 'my.name', value: 'dotted' }], workingDir: '/made' })),
      pod('mixed', { namespace, spec: { containers: [mixed('main', { workingDir: '/made' }), mixed('plain')] } }),
      pod('build', { namespace, command: ['sh'], container: { stdin: true, stdinOnce: true } }),
      pod('console', { namespace, command: ['sh'], container: { stdin: true, tty: true } }),
    );
    for (const name of ['web', 'mixed', 'build', 'console']) await runs(name);
  });
  afterAll(async () => {
    await removeNamespace(namespace);
    rmSync(here, { recursive: true, force: true });
  });

  it.each([
    ['a WebSocket', {}],
    ['SPDY', spdy],
  ])(
    'exec over %s: output, errors, exit code, arguments, environment and folder are those of a kubelet',
    async (_, env) => {
      const from = await asked();
      expect(await exec(['web', '--', ...sh('echo out; printf err >&2; exit 7')], { env })).toEqual({
        code: 7,
        stdout: 'out\n',
        stderr: 'errcommand terminated with exit code 7\n',
      });
      // One session of ACI's: the shell was not asked.
      expect((await asked()) - from).toBe(1);
      const words = ['a b', '', "it's", '"$HOME"', '\n', 'é😀', '--', '%s\\n', '*'];
      const { stdout } = await exec(['web', '--', 'printf', '<%s>', ...words], { env });
      expect(stdout).toBe(words.map((word) => `<${word}>`).join(''));
      const own = await exec(['web', '--', ...sh('pwd; tr "\\0" "\\n" </proc/$$/environ | grep my.name')], { env });
      expect(own.stdout).toBe('/made\nmy.name=dotted\n');
      expect((await exec(['web', '--', ...sh('kill -9 $$')], { env })).code).toBe(137);
      expect((await exec(['web', '--', 'no-such-program'], { env })).stderr).toContain(
        'exec: "no-such-program": executable file not found in $PATH',
      );
    },
  );

  it.each([
    ['main', 1],
    ['plain', 2],
  ])('exec in %s, of two containers of which one has the agent: %i session', async (container, sessions) => {
    const from = await asked();
    const ran = await exec(['mixed', '-c', container, '--', ...sh('echo out; exit 3')]);
    expect([ran.code, ran.stdout, (await asked()) - from]).toEqual([3, 'out\n', sessions]);
  });

  it('cp of 50 MB there and back, byte for byte', { timeout: 300_000 }, async () => {
    const content = randomBytes(50_000_000);
    writeFileSync(join(here, 'bytes'), content);
    const startedMs = performance.now();
    expect(await run(['cp', '-n', namespace, join(here, 'bytes'), 'web:/srv/bytes'])).toMatchObject({ code: 0 });
    const thereMs = performance.now();
    expect((await exec(['web', '--', 'sha256sum', '/srv/bytes'])).stdout).toBe(`${hash(content)}  /srv/bytes\n`);
    const summedMs = performance.now();
    expect(await run(['cp', '-n', namespace, 'web:/srv/bytes', join(here, 'back')])).toMatchObject({ code: 0 });
    console.log(
      `cp of 50 MB: there ${Math.round(thereMs - startedMs)} ms, back ${Math.round(performance.now() - summedMs)} ms`,
    );
    expect(hash(readFileSync(join(here, 'back')))).toBe(hash(content));
  });

  it('fifty execs at once, each with its own end', { timeout: 300_000 }, async () => {
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, index) => exec(['web', '--', ...sh(`echo ${index}; exit ${index}`)])),
    );
    expect(all.map(({ code, stdout }) => [code, stdout])).toEqual(all.map((_, index) => [index, `${index}\n`]));
  });

  it('a terminal follows the window', async () => {
    const socket = join(here, 'tmux');
    const tmux = (...args: readonly string[]): string => execFileSync('tmux', ['-S', socket, ...args]).toString();
    const command = `exec -n ${namespace} -it web -- sh`;
    const line = `${target.binary} --kubeconfig ${target.kubeconfig} ${command}; echo "code $?"; sleep 60`;
    tmux('-f', '/dev/null', 'new-session', '-d', '-x', '91', '-y', '31', line);
    const shown = (pattern: RegExp): Promise<string> =>
      until(
        String(pattern),
        async () => tmux('capture-pane', '-p'),
        (text) => pattern.test(text),
        30_000,
      );
    try {
      await shown(/# ?$/m);
      tmux('send-keys', 'stty size', 'Enter');
      await shown(/^31 91$/m);
      tmux('resize-window', '-x', '120', '-y', '41');
      await until(
        'the program learns it',
        async () => {
          tmux('send-keys', 'clear; stty size', 'Enter');
          return tmux('capture-pane', '-p');
        },
        (text) => /^41 120$/m.test(text),
        30_000,
      );
      tmux('send-keys', 'exit 5', 'Enter');
      expect(await shown(/^code \d+$/m)).toMatch(/^code 5$/m);
    } finally {
      tmux('kill-server');
    }
  });

  it('attach drives a shell, as a runner of CI does, and the pod ends as its script does', async () => {
    const script = 'echo out; echo err >&2; for i in 1 2 3; do echo step $i; done; exit 6\n';
    const attached = await run(['attach', '-n', namespace, '-i', 'build'], { input: script });
    expect(attached.stdout).toBe('out\nstep 1\nstep 2\nstep 3\n');
    expect(attached.stderr).toContain('err\n');
    expect(await exitCodeOf('build')).toBe('6');
    const log = await output('logs', '-n', namespace, 'build');
    // The two streams have no order between them.
    expect(log.replace('err\n', '')).toBe('out\nstep 1\nstep 2\nstep 3\n');
    expect(log).toContain('err\n');
  });

  it('attach to a terminal: what is typed arrives, of the size of the window', async () => {
    const command = `attach -n ${namespace} -it console`;
    const line = `stty rows 33 cols 111; ${target.binary} --kubeconfig ${target.kubeconfig} ${command}; echo "code $?"`;
    const child = spawn('script', ['-qfec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    await until(
      'it is answered',
      async () => {
        child.stdin.write('stty size\r');
        return shown;
      },
      (text) => /33 111\r/.test(text),
      30_000,
    );
    child.stdin.write('exit 4\r');
    await until(
      'the end',
      async () => shown,
      (text) => /code \d+/.test(text),
      30_000,
    );
    child.stdin.end();
    expect(await exitCodeOf('console')).toBe('4');
  });

  it('a client that goes takes its command with it', async () => {
    const command = sh('trap "" HUP; echo $$ >/srv/pid; while :; do sleep 1; done');
    const args = ['--kubeconfig', target.kubeconfig, 'exec', '-n', namespace, 'web', '--', ...command];
    const child = spawn(target.binary, args);
    await until(
      'it is up',
      async () => (await exec(['web', '--', 'cat', '/srv/pid'])).stdout,
      (pid) => pid !== '',
    );
    child.kill('SIGKILL');
    const signalled = (): Promise<KubectlResult> => exec(['web', '--', ...sh('kill -0 "$(cat /srv/pid)"')]);
    await until('it has ended', signalled, ({ code }) => code !== 0, 60_000);
    expect((await signalled()).stderr).toContain('No such process');
  });

  it('exec into a container that has just ended is refused in the words of a kubelet', async () => {
    await apply(pod('brief', { ...wrapped('sleep 8; exit 0'), restartPolicy: 'Never' }));
    await runs('brief');
    const cut = await exec(['brief', '--', ...sh('echo up; sleep 60')]);
    expect(cut.code).not.toBe(0);
    expect(cut.stderr).toMatch(/error executing command in container|command terminated with exit code 137/);
    // Whatever the status says yet.
    const late = await exec(['brief', '--', 'true']);
    expect(late.code).not.toBe(0);
    expect(late.stderr).toMatch(/container not found|completed pod|error executing command in container/);
  });

  it('10,000 frames of garbage end their session and nothing else', async () => {
    await apply(pod('liar', wrapped('exec sleep 3600')));
    await isReady('liar');
    // Amid what the agent says.
    const garbage = 'head -c 70000 /dev/urandom >/proc/$PPID/fd/1; sleep 5';
    const lied = await exec(['liar', '--', ...sh(garbage)]);
    expect(lied.stdout).toBe('');
    expect(lied.stderr).toContain('was lost or changed');
    expect(await exec(['liar', '--', 'echo', 'fine'])).toMatchObject({ code: 0, stdout: 'fine\n' });
  });

  describe('where the group is in no subnet', () => {
    beforeAll(async () => {
      await changeSettings({ ACI_SUBNET_ID: undefined });
      await apply(pod('far', wrapped(serving)), pod('none', { namespace }));
      for (const name of ['far', 'none']) await runs(name);
    });
    afterAll(() => changeSettings(before));

    it.each([
      ['a WebSocket', {}],
      ['SPDY', spdy],
    ])(
      'port-forward over %s: connections at once and 100 MB, all over one session',
      { timeout: 300_000 },
      async (_, env) => {
        expect(await field('pod', 'far', '{.status.podIP}', namespace)).toBe('');
        await exec(['far', '--', ...sh('[ -e /srv/big ] || head -c 100000000 /dev/urandom >/srv/big')]);
        const sum = (await exec(['far', '--', 'sha256sum', '/srv/big'])).stdout.slice(0, 64);
        const from = await asked();
        const { url, child } = await forward({ namespace, pod: 'far', port }, env);
        try {
          const texts = await Promise.all(Array.from({ length: 20 }, async () => (await fetch(`${url}/`)).text()));
          expect(new Set(texts)).toEqual(new Set(['welcome\n']));
          const startedMs = performance.now();
          const bytes = new Uint8Array(await (await fetch(`${url}/big`)).arrayBuffer());
          console.log(`port-forward of 100 MB: ${Math.round(performance.now() - startedMs)} ms`);
          expect([bytes.length, hash(bytes)]).toEqual([100_000_000, sum]);
        } finally {
          child.kill();
        }
        expect((await asked()) - from).toBe(1);
      },
    );

    it('port-forward without the agent is refused, and why', async () => {
      await expect(forward({ namespace, pod: 'none', port }, {})).rejects.toThrow(
        /or the agent, and this pod has neither/,
      );
    });
  });
});
