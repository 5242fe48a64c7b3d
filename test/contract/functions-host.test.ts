import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, renameSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFunctionsHost } from '../../infra/local/host/supervisor.ts';
import type { FunctionsHost } from '../../infra/local/host/supervisor.ts';

const FIXTURE = fileURLToPath(new URL('../local/host/fixture-app/', import.meta.url));
const MAIN = fileURLToPath(new URL('../../infra/local/host/main.ts', import.meta.url));
const dir = mkdtempSync(path.join(tmpdir(), 'functions-host-'));
const settingsFile = path.join(dir, 'settings.json');
let host: FunctionsHost;

function writeSettings(values: Record<string, string>): void {
  const all = { MARKS_DIR: dir, BEAT_SCHEDULE: '* * * * * *', 'AzureWebJobs.off.Disabled': 'true', ...values };
  writeFileSync(`${settingsFile}.new`, JSON.stringify({ IsEncrypted: false, Values: all }));
  renameSync(`${settingsFile}.new`, settingsFile);
}

/** Settings in a folder of their own, so that no other test's change reaches this host. */
function steadySettings(): string {
  const file = path.join(mkdtempSync(path.join(dir, 'steady-')), 'settings.json');
  writeFileSync(file, JSON.stringify({ Values: { MARKS_DIR: path.dirname(file), BEAT_SCHEDULE: '* * * * * *' } }));
  return file;
}

function lines(file: string): string[] {
  try {
    // A file that was only just made is empty.
    return readFileSync(path.join(dir, file), 'utf8').trim().split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

async function until<T>(look: () => T | Promise<T>, holds: (seen: T) => boolean, ms = 8000): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`not so within ${ms} ms: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const api = (name: string, init?: RequestInit): Promise<Response> => fetch(`${host.url}/api/${name}`, init);

interface Who {
  readonly pid: number;
  readonly served: number;
  readonly greeting: string;
  readonly group: string;
}

async function who(): Promise<Who> {
  return (await (await api('who')).json()) as Who;
}

beforeAll(async () => {
  writeSettings({ GREETING: 'first' });
  host = await startFunctionsHost({
    appRoot: FIXTURE,
    port: 0,
    adminPort: 0,
    settingsFile,
    logDir: path.join(dir, 'logs'),
    startUpDelayMs: 10,
    httpRecoveryMs: 50,
    timerRecoveryMs: 50,
    listenerLockPeriodMs: 1500,
    listenerLockPollMs: 500,
    maxBodyBytes: 1000,
    maxHttpInstances: 2,
  });
});

afterAll(async () => {
  await host.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('HTTP', () => {
  it('gives params, query, headers and body to the handler, and its answer back', async () => {
    const answer = await api('echo/pod/a%20b?x=1&x=2&y=3', {
      method: 'POST',
      body: 'hello',
      headers: { 'X-Test': 't', 'x-ms-client-principal-id': 'forged' },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('x-kind')).toBe('pod');
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toEqual({
      params: { kind: 'pod', id: 'a b' },
      query: { x: '1,2', y: '3' },
      header: 't',
      principal: null,
      url: '/api/echo/pod/a%20b',
      text: 'hello',
    });
  });

  it('keeps bodies as bytes', async () => {
    const answer = await api('bytes', { method: 'POST', body: new Uint8Array([0, 255, 128, 10]) });
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(new Uint8Array([10, 128, 255, 0]));
  });

  it('shows a chunked body to no handler, as the real host without streaming', async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('unseen'));
        controller.close();
      },
    });
    const answer = await api('echo/x', { method: 'POST', body, duplex: 'half' });
    expect(await answer.json()).toMatchObject({ text: '' });
  });

  it('sets cookies', async () => {
    const answer = await api('cookies');
    expect(answer.headers.getSetCookie()).toEqual([
      'a=b%20c; path=/; httponly',
      'd=e; max-age=5; path=/x; samesite=strict',
    ]);
  });

  it.each([
    ['a handler that throws is an empty 500', 'fails', {}, 500],
    ['a handler that returns nothing is an empty 204', 'nothing', {}, 204],
    ['a wrong method is 404', 'bytes', {}, 404],
    ['an unknown path is 404', 'unknown', {}, 404],
    ['a disabled function is 404', 'off', {}, 404],
    ['a missing key is 401', 'guarded', {}, 401],
    ['a wrong key is 401', 'guarded?code=wrong', {}, 401],
    ['a body over the limit is 500', 'bytes', { method: 'POST', body: 'x'.repeat(1001) }, 500],
    ['a URL over the limit is 414', `nothing?q=${'x'.repeat(8200)}`, {}, 414],
  ])('%s', async (_sentence, target, init, status) => {
    const answer = await api(target, init);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe('');
  });

  it('opens a function to its key', async () => {
    const { functionKey, masterKey } = JSON.parse(readFileSync(host.keysFile, 'utf8')) as Record<string, string>;
    expect(await (await api('guarded', { headers: { 'x-functions-key': functionKey ?? '' } })).text()).toBe('open');
    expect((await fetch(`${host.url}/admin/host/status?code=${functionKey}`)).status).toBe(403);
    expect(await (await fetch(`${host.url}/admin/host/status?code=${masterKey}`)).json()).toMatchObject({
      state: 'Running',
    });
    const run = await fetch(`${host.url}/admin/functions/manual?code=${masterKey}`, {
      method: 'POST',
      body: '{"input":""}',
    });
    expect(run.status).toBe(202);
    await until(
      () => lines('manual.txt').length,
      (count) => count === 1,
    );
  });

  it('runs the hooks: one replaces the handler, one turns a failure into an answer', async () => {
    expect(await (await api('hooked')).json()).toEqual({ wrapped: { status: 299 } });
    const rescued = await api('rescued');
    expect([rescued.status, await rescued.text()]).toEqual([202, 'began=true']);
  });

  it('survives bytes that are no HTTP', async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(new URL(host.url).port), '127.0.0.1', () => socket.write('GARBAGE\r\n\r\n'));
      socket
        .on('close', () => resolve())
        .on('error', () => undefined)
        .resume();
    });
    expect((await api('nothing')).status).toBe(204);
  });
});

describe('logs', () => {
  it('have category, worker and invocation, and honour host.json', async () => {
    await api('quiet');
    await api('late');
    const log = await until(
      () => lines('logs/functions.jsonl').map((line) => JSON.parse(line) as Record<string, string>),
      (entries) => entries.some(({ message }) => message === 'too late'),
    );
    expect(log.find(({ category }) => category === 'Function.quiet.User')).toMatchObject({
      level: 'warning',
      message: 'written',
    });
    expect(log.some(({ message }) => message === 'not written')).toBe(false);
    expect(log.some(({ message, level }) => level === 'warning' && message?.includes("Unexpected call to 'log'"))).toBe(
      true,
    );
    expect(
      log.some(({ category, message }) => category === 'Function.fails' && message?.includes('a secret reason')),
    ).toBe(true);
    expect(
      log.some(({ category, message }) => category === 'Host.Startup' && message?.includes('NO_SUCH_SETTING')),
    ).toBe(true);
  });
});

describe('processes', () => {
  const lockWaits = (): string[] =>
    lines('logs/host.jsonl')
      .map((line) => (JSON.parse(line) as { message: string }).message)
      .filter((message) => message.startsWith('The lock of beat'));

  it('each timer has its own, HTTP has two that share no memory', async () => {
    expect(Object.keys(host.pids()).sort()).toEqual(['http-0', 'http-1', 'timer-beat', 'timer-manual']);
    const answers = await Promise.all(Array.from({ length: 6 }, who));
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);
    expect(Math.max(...answers.map(({ served }) => served))).toBeLessThan(6);
    expect(answers[0]?.group).toBe('http');
    const beats = await until(
      () => lines('beats.txt'),
      (seen) => seen.length > 0,
    );
    expect([...new Set(beats)]).toEqual([`${host.pids()['timer-beat']} false beat`]);
  });

  it('a timer whose worker dies goes on at once: its instance keeps the lock', async () => {
    const before = host.pids()['timer-beat'];
    const killedAt = Date.now();
    const kill = `${host.adminUrl}/kill?target=timer:beat&of=worker`;
    expect((await fetch(kill, { method: 'POST' })).status).toBe(200);
    await until(
      () => lines('beats.txt'),
      (seen) => !seen.at(-1)?.startsWith(`${before} `),
    );
    expect(lockWaits()).toEqual([]);
    expect(Date.now() - killedAt).toBeLessThan(5000);
  });

  it('a killed timer comes back in another process, when the lock has run out and is asked for again', async () => {
    const before = host.pids()['timer-beat'];
    const killedAt = Date.now();
    expect((await fetch(`${host.adminUrl}/kill?target=timer:beat`, { method: 'POST' })).status).toBe(200);
    const beats = await until(
      () => lines('beats.txt'),
      (seen) => !seen.at(-1)?.startsWith(`${before} `),
    );
    expect(beats.at(-1)).toBe(`${host.pids()['timer-beat']} false beat`);
    // It was renewed half a period before at the earliest; how much is left for the new process depends on how long that takes to load.
    expect(Date.now() - killedAt).toBeGreaterThanOrEqual(750);
    const waits = lockWaits();
    expect(waits.length).toBeLessThanOrEqual(1);
    for (const line of waits)
      expect(line).toMatch(/^The lock of beat is held; the next try is in (500|1000|1500) ms\.$/);
  });

  it('a request in a killed process gets 500, the next one an answer', async () => {
    const waiting = api('wait?ms=1500');
    // The timer's worker may be busy as well: it is not the one that is waited for.
    const busy = await until(
      () => host.workers().find(({ inFlight, group }) => inFlight > 0 && group === 'http'),
      (row) => row !== undefined,
    );
    expect(host.killHttp(Number(busy?.name.slice('http-'.length)))).toBe(true);
    expect((await waiting).status).toBe(500);
    expect((await api('nothing')).status).toBe(204);
    await until(
      () => Object.keys(host.pids()).length,
      (count) => count === 4,
    );
  });

  it('a function over its timeout ends its whole worker', async () => {
    const impatient = await startFunctionsHost({
      appRoot: path.join(FIXTURE, 'impatient'),
      entry: '../http.ts',
      port: 0,
      settingsFile: steadySettings(),
      logDir: path.join(dir, 'logs-impatient'),
      startUpDelayMs: 0,
      httpRecoveryMs: 0,
      httpInstances: 1,
    });
    const before = impatient.pids()['http-0'];
    expect((await fetch(`${impatient.url}/api/wait?ms=60000`)).status).toBe(500);
    expect((await fetch(`${impatient.url}/api/nothing`)).status).toBe(204);
    expect(impatient.pids()['http-0']).not.toBe(before);
    await impatient.stop();
  });

  it('changed settings reach the handlers, and no request is lost meanwhile', async () => {
    expect((await who()).greeting).toBe('first');
    const waiting = api('wait?ms=1800');
    writeSettings({ GREETING: 'second' });
    await until(
      async () => (await who()).greeting,
      (greeting) => greeting === 'second',
    );
    expect(await (await waiting).text()).toBe('done');
    await until(
      () => host.workers().filter(({ state }) => state === 'ready').length,
      (count) => count === 4,
    );
    expect(lines('marks.txt')).toContain('appTerminate function:beat');
  });

  it('broken settings change nothing', async () => {
    const before = host.pids();
    writeFileSync(settingsFile, '{"Values": {');
    await until(
      () => lines('logs/host.jsonl').join('\n'),
      (log) => log.includes('cannot be used'),
    );
    expect(host.pids()).toEqual(before);
  });

  it('the whole app is down for a while, then back', async () => {
    await fetch(`${host.adminUrl}/pause?ms=400`, { method: 'POST' });
    expect((await api('nothing')).status).toBe(503);
    await until(
      () => host.pids(),
      (pids) => Object.keys(pids).length === 0,
    );
    await until(
      async () => (await api('nothing')).status,
      (status) => status === 204,
    );
    const counters = (await (await fetch(`${host.adminUrl}/invocations`)).json()) as Record<
      string,
      { failures: number; count: number }
    >;
    expect(counters['fails']).toMatchObject({ count: 1, failures: 1 });
  });

  it('a restart during a pause and a stop right after it leave nothing', async () => {
    const other = await startFunctionsHost({
      appRoot: FIXTURE,
      port: 0,
      settingsFile: steadySettings(),
      logDir: path.join(dir, 'logs-3'),
      startUpDelayMs: 0,
    });
    const pids = Object.values(other.pids());
    other.pause(60_000);
    void other.restart();
    await other.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(Object.keys(other.pids())).toEqual([]);
  });

  it('the control port serves no web page', async () => {
    expect((await fetch(`${host.adminUrl}/workers`, { headers: { origin: 'http://evil.example' } })).status).toBe(403);
  });
});

describe('a body that the limit lets through', () => {
  it('costs memory before the handler runs: an instance of 512 MB is lost by one of 30 MB', async () => {
    const wide = await startFunctionsHost({
      appRoot: FIXTURE,
      port: 0,
      settingsFile: steadySettings(),
      logDir: path.join(dir, 'logs-wide'),
      startUpDelayMs: 0,
      httpRecoveryMs: 0,
      httpInstances: 1,
      maxHttpInstances: 1,
    });
    const send = async (bytes: number): Promise<number> =>
      (await fetch(`${wide.url}/api/who`, { method: 'POST', body: new Uint8Array(bytes) })).status;
    const before = wide.pids()['http-0'];
    expect(await send(1_000_000)).toBe(200);
    expect(wide.pids()['http-0']).toBe(before);
    expect(await send(30_000_000)).toBe(500);
    expect(await send(1000)).toBe(200);
    expect(wide.pids()['http-0']).not.toBe(before);
    await wide.stop();
  });
});

describe('an app that cannot be loaded', () => {
  it.each([
    ['throws.ts', /throws\.ts.*no luck/s],
    ['twice.ts', /already been registered/],
    ['stream.ts', /streaming/],
  ])('%s', async (name, fault) => {
    const starting = startFunctionsHost({
      appRoot: FIXTURE,
      entry: `broken/${name}`,
      port: 0,
      settingsFile: steadySettings(),
      logDir: path.join(dir, 'logs-2'),
      startUpDelayMs: 0,
      httpInstances: 1,
    });
    await expect(starting).rejects.toThrow(fault);
  });
});

interface Cli {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly ready: { url: string; adminUrl: string };
  readonly exited: Promise<number | null>;
}

async function startCli(...more: string[]): Promise<Cli> {
  const args = [
    '--app',
    FIXTURE,
    '--settings',
    steadySettings(),
    '--logs',
    path.join(dir, 'logs-cli'),
    '--port',
    '0',
    '--admin-port',
    '0',
  ];
  const child = spawn(process.execPath, [MAIN, ...args, '--start-up-delay-ms', '0', ...more], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, ready: JSON.parse(line.toString()) as Cli['ready'], exited };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the command', () => {
  it.each<[string, (cli: Cli) => void, number | null]>([
    ['SIGINT', ({ child }) => child.kill('SIGINT'), 0],
    ['the end of its input', ({ child }) => child.stdin.end(), 0],
    ['SIGKILL', ({ child }) => child.kill('SIGKILL'), null],
  ])('%s leaves no process', async (_sentence, end, code) => {
    const { child, ready, exited } = await startCli('--no-auth', '--http-instances', '1');
    expect((await fetch(`${ready.url}/api/guarded`)).status).toBe(200);
    const workers = (await (await fetch(`${ready.adminUrl}/workers`)).json()) as { pid: number }[];
    expect(workers).toHaveLength(3);
    end({ child, ready, exited });
    expect(await exited).toBe(code);
    await until(
      () => workers.filter(({ pid }) => isAlive(pid)),
      (left) => left.length === 0,
    );
    await expect(fetch(ready.url)).rejects.toThrow('fetch failed');
  });

  it('ignores SIGTERM, unless it is asked to drain', async () => {
    const stubborn = await startCli('--no-auth', '--http-instances', '1');
    stubborn.child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await fetch(`${stubborn.ready.url}/api/guarded`)).status).toBe(200);
    stubborn.child.kill('SIGINT');
    expect(await stubborn.exited).toBe(0);
    const obedient = await startCli('--no-auth', '--http-instances', '1', '--drain-on-sigterm');
    obedient.child.kill('SIGTERM');
    expect(await obedient.exited).toBe(0);
  });

  it('has timers and HTTP in one process where that is wanted', async () => {
    const { child, ready, exited } = await startCli('--no-auth', '--single-process');
    const workers = (await (await fetch(`${ready.adminUrl}/workers`)).json()) as { group: string }[];
    expect(workers.map(({ group }) => group)).toEqual(['all']);
    expect(await (await fetch(`${ready.url}/api/who`)).json()).not.toHaveProperty('group');
    child.kill('SIGINT');
    expect(await exited).toBe(0);
  });
});
