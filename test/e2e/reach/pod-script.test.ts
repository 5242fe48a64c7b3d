import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseReachReport } from '../../../infra/cli/inspect/pods-reach/report.ts';
import type { ReachReport } from '../../../infra/cli/inspect/pods-reach/report.ts';
import { reachEnvironment, reachScript } from '../../../infra/cli/inspect/pods-reach/script.ts';

const folder = mkdtempSync(join(tmpdir(), 'reach-script-'));
const listener: Server = createServer((socket) => socket.end());
let open = 0;
/** Nobody listens there. */
let closed = 0;

beforeAll(async () => {
  const other = createServer();
  for (const server of [listener, other]) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open = portOf(listener);
  closed = portOf(other);
  await new Promise((done) => other.close(done));
});
afterAll(() => {
  listener.close();
  rmSync(folder, { recursive: true, force: true });
});

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

type Environment = Readonly<Record<string, string>>;

async function runScript(shell: readonly string[], environment: Environment, prefix: readonly string[] = []) {
  const child = spawn('/usr/bin/env', [...prefix, ...shell, '-c', reachScript], {
    // bash takes a socket for a remote shell's, and reads a bashrc.
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], REACH_SECONDS: '2', ...environment },
  });
  const exit = new Promise<number | null>((done) => child.once('close', done));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { stdout, stderr, code, report: parseReachReport(stdout) };
}

const hopsOf = ({ hops }: ReachReport): Readonly<Record<string, string>> =>
  Object.fromEntries([...hops].map(([hop, { verdict, detail }]) => [hop, `${verdict} ${detail}`.trim()]));

const targets = (): Environment => ({
  ...reachEnvironment({
    servers: ['127.0.0.1', '127.0.0.2'],
    clusterName: 'nothing.invalid',
    outside: 'localhost',
    service: `127.0.0.1:${open}`,
    pod: `127.0.0.1:${closed}`,
  }),
  REACH_SERVER_PORT: String(open),
  REACH_OUTSIDE_PORT: String(open),
  KUBERNETES_SERVICE_HOST: 'localhost',
  KUBERNETES_SERVICE_PORT: String(closed),
});

/** A PATH with these programs alone, and what is written as a script of its own. */
function pathWith(name: string, programs: readonly string[], own: Readonly<Record<string, string>> = {}): Environment {
  const bin = mkdtempSync(join(folder, `${name}-`));
  for (const program of programs)
    symlinkSync(execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim(), join(bin, program));
  for (const [program, body] of Object.entries(own)) {
    writeFileSync(join(bin, program), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, program), 0o755);
  }
  return { PATH: bin };
}

const has = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((place) => existsSync(join(place, program)));

const shells = [['sh'], ['dash'], ['busybox', 'sh'], ['bash', '--posix']].filter(([program = '']) => has(program));

describe.each(shells.map((shell) => [shell.join(' '), shell] as const))('the script by %s', (_, shell) => {
  it('tries each hop, says so in a line, and never fails', async () => {
    const { code, stderr, report } = await runScript(shell, targets());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(report.isWhole).toBe(true);
    expect(report.resolvers.length).toBeGreaterThan(0);
    expect(hopsOf(report)).toEqual({
      'server/127.0.0.1': 'ok',
      // The socket is bound to one address.
      'server/127.0.0.2': 'failed refused',
      'cluster-name': expect.stringMatching(/^failed after \d+ s$/),
      'outside-name': expect.stringMatching(/^ok (127\.0\.0\.1|::1)$/),
      'api-name': expect.stringMatching(/^ok (127\.0\.0\.1|::1)$/),
      outside: 'ok',
      service: 'ok',
      pod: 'failed refused',
      api: 'failed refused',
    });
  });

  it('leaves out what it is not given, and asks no name server for an address', async () => {
    const { report } = await runScript(shell, {
      ...reachEnvironment({ servers: [], clusterName: undefined, outside: '', service: undefined, pod: undefined }),
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(open),
    });
    expect(hopsOf(report)).toEqual({ api: 'ok' });
  });

  it('says where the address of the API server is missing', async () => {
    const { report } = await runScript(shell, {});
    expect(hopsOf(report)).toEqual({ api: 'failed KUBERNETES_SERVICE_HOST is not set' });
  });
});

describe('the script and what an image has', () => {
  const tools = ['date', 'sed', 'timeout', 'cat', 'sleep', 'grep'];
  const one = (): Environment => ({ KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(open) });

  it('nobody answers', async () => {
    const path = pathWith('silent', tools, { bash: 'exec sleep 9', getent: 'exec sleep 9' });
    const { report } = await runScript(['/bin/sh'], {
      ...path,
      ...one(),
      REACH_SECONDS: '1',
      REACH_CLUSTER_NAME: 'a.b',
    });
    expect(hopsOf(report)).toEqual({
      api: 'failed no answer in 1 s',
      'cluster-name': expect.stringMatching(/^failed after [34] s$/),
    });
  });

  it('an nc that knows -z, where there is no bash', async () => {
    const nc = `[ "$1" = -h ] && { echo '	-z	Zero-I/O mode' >&2; exit 1; }\n[ "$*" = "-z -w 2 127.0.0.1 ${open}" ]`;
    const { report } = await runScript(['/bin/sh'], { ...pathWith('nc', tools, { nc }), ...one() });
    expect(hopsOf(report)).toEqual({ api: 'ok' });
  });

  it('neither: nothing is said of what was not tried', async () => {
    const nc = 'echo "usage: nc HOST PORT" >&2; exit 1';
    for (const path of [pathWith('none', tools), pathWith('other', tools, { nc })]) {
      const { report, code } = await runScript(['/bin/sh'], { ...path, ...one(), REACH_CLUSTER_NAME: 'a.b' });
      expect(code).toBe(0);
      expect(hopsOf(report)).toEqual({
        api: 'skipped no bash, and no nc that knows -z',
        'cluster-name': 'skipped no getent',
      });
    }
  });
});

/** A name server that knows one name, and of all others that there are none. */
async function startNameServer(name: string): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const labels: string[] = [];
    for (let at = 12; query[at] !== 0; at += (query[at] ?? 0) + 1)
      labels.push(query.toString('latin1', at + 1, at + 1 + (query[at] ?? 0)));
    const isKnown = labels.join('.') === name;
    const isAddress = query.readUInt16BE(end - 4) === 1;
    const header = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x81, isKnown ? 0x80 : 0x83, 0, 1, 0, 0, 0, 0, 0, 0]);
    const answers = isKnown && isAddress ? [Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 1])] : [];
    header.writeUInt16BE(answers.length, 6);
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), from.port, from.address);
  });
  await new Promise<void>((done, fault) => {
    socket.once('error', fault);
    socket.bind(53, '127.53.53.53', done);
  });
  return socket;
}

/** A resolv.conf of one's own, in a mount namespace: only root may. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

describe.skipIf(!canMount())("the script and a name server, by this machine's libc", () => {
  it('tells a name that does not exist from one that does, and both from silence', async () => {
    const file = join(folder, 'resolv.conf');
    const ask = async (server: string) => {
      writeFileSync(
        file,
        `search svc.cluster.local cluster.local\nnameserver ${server}\noptions ndots:5 timeout:2 attempts:1\n`,
      );
      const prefix = ['unshare', '-m', 'sh', '-c', `mount --bind ${file} /etc/resolv.conf && exec "$@"`, '-'];
      const { report } = await runScript(
        ['sh'],
        {
          REACH_CLUSTER_NAME: 'kubernetes.default.svc.cluster.local',
          REACH_OUTSIDE: 'nothing.example',
          KUBERNETES_SERVICE_HOST: '127.0.0.1',
          KUBERNETES_SERVICE_PORT: String(open),
        },
        prefix,
      );
      return { resolvers: report.resolvers, ...hopsOf(report) };
    };
    const socket = await startNameServer('kubernetes.default.svc.cluster.local');
    expect(await ask('127.53.53.53')).toMatchObject({
      resolvers: ['127.53.53.53'],
      'cluster-name': 'ok 10.0.0.1',
      'outside-name': expect.stringMatching(/^failed after [01] s$/),
    });
    socket.removeAllListeners('message');
    expect(await ask('127.53.53.53')).toMatchObject({
      'cluster-name': expect.stringMatching(/^failed after [4-7] s$/),
    });
    socket.close();
  });
});
