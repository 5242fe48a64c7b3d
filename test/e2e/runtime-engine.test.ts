import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureImages } from '../../infra/local/aci/images.ts';
import { createEngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import type { EngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import { processesNaming } from '../../infra/local/aci/runtime/engine/processes.ts';
import { stateKey } from '../../infra/local/aci/runtime/engine/podman-layout.ts';
import type { ContainerSpec, RunningContainer, SandboxVolume } from '../../infra/local/aci/runtime/runtime.ts';
import { describeTerminals, Screen, talking, talkingScript } from '../contract/runtime-terminals.suite.ts';

const busybox = 'busybox:1.36';
const folder = mkdtempSync(join(tmpdir(), 'runtime-engine-'));
const stateDir = join(folder, 'main');
let runtime: EngineRuntime;
let count = 0;

beforeAll(async () => {
  const lines: string[] = [];
  await ensureImages({ log: (line) => lines.push(line) });
  runtime = await createEngineRuntime({ stateDir, engine: 'podman', log: (line) => lines.push(line) });
});

afterAll(async () => {
  await runtime?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function sandbox(volumes: readonly SandboxVolume[] = []): Promise<{ id: string; ip: string }> {
  count += 1;
  const made = await runtime.createSandbox({ id: `box-${count}`, hostname: `host-${count}`, volumes });
  return { id: made.id, ip: made.ip ?? 'none' };
}

async function start(id: string, script: string, more: Partial<ContainerSpec> = {}): Promise<RunningContainer> {
  const spec = { name: 'main', image: busybox, command: ['sh', '-c', script], environment: {}, mounts: [], ...more };
  const started = await runtime.startContainer(id, spec);
  if (started.kind === 'start-fault') throw new Error(started.message);
  return started;
}

/** A container whose trap is set: without one, the kernel keeps signals from a first process. */
async function startTrapping(id: string, trap: string): Promise<RunningContainer> {
  const container = await start(id, `trap ${trap} TERM; echo ready; while :; do sleep 0.1; done`);
  const logs = await eventually(
    () => container.readLogs({ timestamps: false }),
    (text) => text.includes('ready'),
  );
  expect(logs).toContain('ready');
  return container;
}

async function output(container: RunningContainer): Promise<string> {
  await container.wait();
  return container.readLogs({ timestamps: false });
}

/** Everything on this machine that belongs to a state folder of the runtime. */
function traces(dir: string): string[] {
  const key = stateKey(dir);
  const runDir = `/run/serverless-kubelet/${stateKey(join(dir, 'podman'))}`;
  return [
    ...processesNaming(runDir).map(({ pid, command }) => `process ${pid} ${command[0]}`),
    ...readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(dir) || line.includes(runDir)),
    ...Object.keys(networkInterfaces()).filter((name) => name.startsWith(`sk-${key}`.slice(0, 15))),
    ...[runDir, join(dir, 'podman'), join(dir, 'volumes')].filter((path) => existsSync(path)),
  ];
}

async function fetchText(url: string): Promise<string> {
  const [answer] = await once(get(url), 'response');
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return text;
}

async function eventually<T>(look: () => Promise<T> | T, wanted: (value: T) => boolean): Promise<T> {
  const until = Date.now() + 10_000;
  for (;;) {
    try {
      const value = await look();
      if (wanted(value) || Date.now() > until) return value;
    } catch (error) {
      if (Date.now() > until) throw error;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

describe('ends', () => {
  it('gives the exit code and the instant of the end', async () => {
    const { id } = await sandbox();
    const before = Date.now();
    const container = await start(id, 'sleep 0.3; exit 7');
    const end = await container.wait();
    expect(end).toMatchObject({ exitCode: 7, oomKilled: false });
    expect(container.id).toMatch(/^[0-9a-f]{64}$/u);
    expect(container.startedAt).toBeGreaterThanOrEqual(before);
    // The engine notes the start once it has seen the process run, so the sleep is measured from before it was asked.
    expect(end.finishedAt - before).toBeGreaterThanOrEqual(300);
    expect(end.finishedAt).toBeGreaterThan(container.startedAt);
    expect(end.finishedAt).toBeLessThanOrEqual(Date.now());
    expect(await container.wait()).toEqual(end);
  });

  it('learns of an end soon after it', async () => {
    const { id } = await sandbox();
    const end = await (await start(id, 'sleep 0.5')).wait();
    // Without the stream of events: up to 10 s.
    expect(Date.now() - end.finishedAt).toBeLessThan(5000);
  });

  it('ends a container that heeds SIGTERM with its own code, before the grace is over', async () => {
    const { id } = await sandbox();
    const container = await startTrapping(id, '"exit 143"');
    const before = Date.now();
    await container.stop(20);
    expect((await container.wait()).exitCode).toBe(143);
    expect(Date.now() - before).toBeLessThan(20_000);
    await container.stop(20);
  });

  it('kills one that does not when the grace is over', async () => {
    const { id } = await sandbox();
    const container = await startTrapping(id, '""');
    await container.stop(1);
    expect(await container.wait()).toMatchObject({ exitCode: 137, oomKilled: false });
  });

  it('says that memory was exceeded', async () => {
    const { id } = await sandbox();
    const hungry = ['awk', 'BEGIN { s = "x"; while (1) s = s s }'];
    const container = await start(id, '', { command: hungry, memoryLimitBytes: 32 * 2 ** 20 });
    expect(await container.wait()).toMatchObject({ exitCode: 137, oomKilled: true });
  });

  it('answers who waits for a container that is deleted', async () => {
    const { id } = await sandbox();
    const container = await start(id, 'sleep 1000');
    await runtime.deleteSandbox(id);
    expect((await container.wait()).exitCode).toBe(137);
    await runtime.deleteSandbox(id);
  });
});

describe('starts', () => {
  it('gives a fault with the engine’s sentence for a command that is not in the image', async () => {
    const { id } = await sandbox();
    const spec = { name: 'main', image: busybox, command: ['/no/such/program'], environment: {}, mounts: [] };
    expect(await runtime.startContainer(id, spec)).toMatchObject({
      kind: 'start-fault',
      message: expect.stringContaining('/no/such/program'),
    });
  });

  it('starts the same name again after its end', async () => {
    const { id } = await sandbox();
    const first = await start(id, 'exit 1');
    await first.wait();
    const second = await start(id, 'exit 2');
    expect((await second.wait()).exitCode).toBe(2);
    expect(second.id).not.toBe(first.id);
  });

  it('passes the environment as it is, values with blanks, equals signs and nothing included', async () => {
    const { id } = await sandbox();
    const container = await start(id, 'echo "[$A][$B][${C-unset}]"', { environment: { A: 'x y', B: 'k=v', C: '' } });
    expect(await output(container)).toBe('[x y][k=v][]\n');
  });

  it('runs the image’s own command when none is given', async () => {
    const { id, ip } = await sandbox();
    const spec = { name: 'web', image: 'nginx:1.14.2', environment: {}, mounts: [] };
    expect((await runtime.startContainer(id, spec)).kind).toBe('running');
    const page = await eventually(
      () => fetchText(`http://${ip}/`),
      (text) => text !== '',
    );
    expect(page).toContain('nginx');
  });

  it('runs the Job of the Kubernetes documentation', async () => {
    const { id } = await sandbox();
    const command = ['perl', '-Mbignum=bpi', '-wle', 'print bpi(200)'];
    const container = await start(id, '', { image: 'perl:5.34.0', command });
    expect(await output(container)).toMatch(/^3\.14159265358979323846264338327950288/u);
  });
});

describe('images', () => {
  it('gives the same digest for all forms of a name', async () => {
    const answers = await Promise.all(
      ['busybox:1.36', 'library/busybox:1.36', 'docker.io/library/busybox:1.36'].map((image) =>
        runtime.pullImage(image, []),
      ),
    );
    expect(answers[0]).toMatchObject({ kind: 'pulled', digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/u) });
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it('calls a registry that nobody serves unavailable', async () => {
    const answer = await runtime.pullImage('127.0.0.1:1/nothing:1', [
      { server: '127.0.0.1:1', username: 'u', password: 'hunter2' },
    ]);
    expect(answer).toMatchObject({ kind: 'image-fault', reason: 'unavailable' });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });
});

describe('logs', () => {
  it('merges both streams in order, dates lines, keeps the end and the lack of a last line end', async () => {
    const { id } = await sandbox();
    const container = await start(id, 'echo one; sleep 0.1; echo two >&2; sleep 0.1; printf three');
    expect(await output(container)).toBe('one\ntwo\nthree');
    expect(await container.readLogs({ timestamps: false, tail: 2 })).toBe('two\nthree');
    const dated = (await container.readLogs({ timestamps: true })).split('\n');
    expect(dated).toHaveLength(3);
    for (const line of dated) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (one|two|three)$/u);
  });

  it('keeps a line longer than the engine’s buffer whole', async () => {
    const { id } = await sandbox();
    const container = await start(id, 'head -c 50000 /dev/zero | tr "\\0" x; echo; echo end');
    expect(await output(container)).toBe(`${'x'.repeat(50_000)}\nend\n`);
  });

  it('can be read while the container runs', async () => {
    const { id } = await sandbox();
    const container = await start(id, 'echo early; sleep 1000');
    expect(
      await eventually(
        () => container.readLogs({ timestamps: false }),
        (text) => text !== '',
      ),
    ).toBe('early\n');
  });
});

describe('commands in a container', () => {
  it('give their exit code and output', async () => {
    const { id } = await sandbox();
    const container = await start(id, 'sleep 1000');
    const result = await container.execute(['sh', '-c', 'echo out; echo err >&2; exit 3'], 5000);
    expect(result.exitCode).toBe(3);
    expect(result.output.split('\n').toSorted()).toEqual(['', 'err', 'out']);
  });

  it('are killed when they take too long', async () => {
    const { id } = await sandbox();
    const container = await start(id, 'sleep 1000');
    expect((await container.execute(['sleep', '777'], 300)).exitCode).toBe(124);
    const rest = await eventually(
      () => container.execute(['ps'], 5000),
      ({ output: text }) => !text.includes('sleep 777'),
    );
    expect(rest.output).not.toContain('sleep 777');
  });
});

describeTerminals(
  'Podman',
  {
    // Busybox's shell edits lines: what it shows is more than an echo.
    sleeper: async () => {
      const more = { image: 'debian:bookworm-slim', environment: { GREETING: 'hello' } };
      return start((await sandbox()).id, 'exec sleep 1000', more);
    },
    talker: async () => talking(await start((await sandbox()).id, talkingScript)),
  },
  true,
);

describe('a sandbox', () => {
  it('gives its containers one localhost, one hostname and an address that this machine reaches', async () => {
    const { id, ip } = await sandbox();
    await start(id, 'mkdir /www; echo served by $(hostname) > /www/index.html; exec httpd -f -p 8080 -h /www', {
      name: 'server',
    });
    const client = await start(id, 'until wget -q -O - http://127.0.0.1:8080/; do sleep 0.1; done; hostname', {
      name: 'client',
    });
    const hostname = `host-${count}`;
    const lines = (await output(client)).split('\n').filter((line) => !line.startsWith('wget:'));
    expect(lines).toEqual([`served by ${hostname}`, hostname, '']);
    expect(await fetchText(`http://${ip}:8080/`)).toBe(`served by ${hostname}\n`);
    expect(ip.startsWith('10.89.')).toBe(true);
  });

  it('asks the name servers that it is given', async () => {
    count += 1;
    const dns = { nameServers: ['10.0.0.10', '10.0.0.11'], searchDomains: ['a.example', 'b'], options: ['ndots:2'] };
    const { id } = await runtime.createSandbox({ id: `box-${count}`, hostname: `host-${count}`, volumes: [], dns });
    const lines = (await output(await start(id, 'cat /etc/resolv.conf'))).split('\n');
    const words = lines.filter((line) => /^(?:search|nameserver|options) /.test(line));
    expect(words.toSorted()).toEqual([
      'nameserver 10.0.0.10',
      'nameserver 10.0.0.11',
      'options ndots:2',
      'search a.example b',
    ]);
  });

  it('shares scratch space between its containers and keeps fixed files readable and root’s', async () => {
    const files = { token: Buffer.from('s3cret'), 'ca.crt': Buffer.from('cert\n') };
    const { id } = await sandbox([
      { name: 'scratch', kind: 'empty' },
      { name: 'files', kind: 'files', files },
    ]);
    const mounts = [
      { volume: 'scratch', mountPath: '/scratch', readOnly: false },
      { volume: 'files', mountPath: '/etc/files', readOnly: true },
    ];
    await (await start(id, 'echo hello > /scratch/x', { name: 'writer', mounts })).wait();
    const script = `cat /scratch/x /etc/files/token; echo; stat -c '%a %u %n' /scratch /etc/files /etc/files/token; echo no > /etc/files/token || echo refused`;
    const reader = await start(id, script, { name: 'reader', mounts });
    expect((await output(reader)).split('\n').filter((line) => !line.startsWith('sh:'))).toEqual([
      'hello',
      's3cret',
      '777 0 /scratch',
      '755 0 /etc/files',
      '644 0 /etc/files/token',
      'refused',
      '',
    ]);
    await runtime.deleteSandbox(id);
    expect(readdirSync(join(stateDir, 'volumes'))).not.toContain(id);
  });

  it('has its gateway on this machine', async () => {
    const addresses = Object.values(networkInterfaces()).flatMap((list = []) => list.map((entry) => entry.address));
    expect(addresses).toContain(runtime.bridge.gateway);
  });

  it('comes and goes while those that stay know the bridge by the same hardware address', async () => {
    const { gateway } = runtime.bridge;
    const bridge = (): string | undefined =>
      Object.values(networkInterfaces())
        .flatMap((addresses = []) => addresses)
        .find(({ address }) => address === gateway)?.mac;
    const before = bridge();
    const seen = new Set([before]);
    for (let turn = 0; turn < 4; turn++) {
      const { id } = await sandbox();
      seen.add(bridge());
      await runtime.deleteSandbox(id);
      seen.add(bridge());
    }
    expect(before).toMatch(/^([0-9a-f]{2}:?){6}$/);
    expect([...seen]).toEqual([before]);
  });

  it('comes up twenty at once, each with an address of its own', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `burst-${index}`);
    const ips = await Promise.all(
      ids.map(async (id) => {
        const made = await runtime.createSandbox({ id, hostname: id, volumes: [] });
        await start(id, 'sleep 1000');
        return made.ip;
      }),
    );
    expect(new Set(ips).size).toBe(20);
    await Promise.all(ids.map((id) => runtime.deleteSandbox(id)));
  });
});

describe('the runtime itself', () => {
  it('leaves nothing when it is closed, even with containers running', async () => {
    const dir = join(folder, 'closed');
    const other = await createEngineRuntime({ stateDir: dir, engine: 'podman', log: () => undefined });
    expect(other.bridge.subnet).not.toBe(runtime.bridge.subnet);
    await other.createSandbox({ id: 'a', hostname: 'a', volumes: [{ name: 'v', kind: 'empty' }] });
    const started = await other.startContainer('a', {
      name: 'c',
      image: busybox,
      command: ['sleep', '1000'],
      environment: {},
      mounts: [{ volume: 'v', mountPath: '/v', readOnly: false }],
    });
    if (started.kind !== 'running') throw new Error(started.message);
    // A program that does not read what is typed, nor heeds that its terminal goes.
    const deaf = ['sh', '-c', 'trap "" HUP TERM; stty raw -echo; echo ready; sleep 1000'];
    const terminal = await started.openTerminal(deaf, { rows: 24, columns: 80 });
    const screen = new Screen(terminal.output);
    await screen.shows('ready');
    void terminal.type(Buffer.alloc(1_000_000, 'x'));
    expect(traces(dir).length).toBeGreaterThan(4);
    await other.close();
    await screen.ended;
    expect(traces(dir)).toEqual([]);
  });

  it('removes what a killed predecessor left, containers that run included', async () => {
    const dir = join(folder, 'killed');
    const victim = await spawnVictim(dir);
    victim.kill('SIGKILL');
    await once(victim, 'exit');
    const before = traces(dir).filter((trace) => trace.startsWith('process'));
    expect(before.length).toBeGreaterThan(1);
    const next = await createEngineRuntime({ stateDir: dir, engine: 'podman', log: () => undefined });
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain('sleep 54321');
    expect(existsSync(join(dir, 'volumes', 'left'))).toBe(false);
    const again = await next.createSandbox({ id: 'left', hostname: 'left', volumes: [] });
    expect(again.ip).toBeDefined();
    await next.close();
    expect(traces(dir)).toEqual([]);
  });
});

/** Another process that starts a container and says so. */
async function spawnVictim(dir: string): Promise<ChildProcess> {
  const engine = new URL('../../infra/local/aci/runtime/engine.ts', import.meta.url);
  const program = `
    const { createEngineRuntime } = await import(${JSON.stringify(engine.href)});
    const runtime = await createEngineRuntime({ stateDir: ${JSON.stringify(dir)}, engine: 'podman', log: () => undefined });
    await runtime.createSandbox({ id: 'left', hostname: 'left', volumes: [{ name: 'v', kind: 'empty' }] });
    const started = await runtime.startContainer('left', { name: 'c', image: ${JSON.stringify(busybox)}, command: ['sleep', '54321'], environment: {}, mounts: [] });
    console.log(started.kind);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  expect(String(line).trim()).toBe('running');
  return child;
}
