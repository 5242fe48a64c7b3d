/** kubectl exec, cp, attach and port-forward through a real API server to the relay's own process, and on to a real shell. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectl as runKubectl } from '../../infra/local/cluster/kubectl.ts';
import type { KubectlResult, KubectlRun } from '../../infra/local/cluster/kubectl.ts';
import { createCertificateAuthority, issueCertificate } from '../../infra/local/pki.ts';
import { parseStreamRequest } from '../../shared/wire/relay-protocol/stream-session.ts';
import { FakeAci } from '../relay/fake-aci.ts';
import { until } from '../relay/fake-app.ts';
import { RelayRig, node, pod, running } from './relay-rig.ts';
import type { RunningRelay } from './relay-rig.ts';

let rig: RelayRig;
let aci: FakeAci;
let relay: RunningRelay;
let web: Server;

const kubectl = (args: readonly string[], options: KubectlRun = {}): Promise<KubectlResult> =>
  runKubectl(args, { ...rig.cluster.kubectl, timeoutMs: 30_000, ...options });
const exec = (args: readonly string[], options: KubectlRun = {}): Promise<KubectlResult> =>
  kubectl(['exec', ...args], options);

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  rig = await RelayRig.start();
  const authority = await createCertificateAuthority('aci');
  const pair = await issueCertificate(authority, { commonName: 'aci', ipAddresses: ['127.0.0.1'], usages: ['server'] });
  aci = await FakeAci.start(pair);
  rig.app.streams = (path, body) => {
    const kind = path.endsWith('/attach') ? 'attach' : 'exec';
    const { terminalSize } = parseStreamRequest(body) ?? {};
    return { status: 200, body: JSON.stringify(aci.session({ kind, terminalSize, farEnds: [] })) };
  };
  web = createServer((request, response) => {
    let size = 0;
    request.on('data', (chunk: Buffer) => (size += chunk.length));
    request.on('end', () => response.end(request.method === 'POST' ? String(size) : 'welcome'));
  });
  await new Promise<void>((resolve) => {
    web.listen(0, '127.0.0.1', () => resolve());
  });
  await rig.apply(pod('web'));
  await rig.patchStatus('web', { ...running(), podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] });
  relay = await rig.startRelay({ config: { aci: { caFile: rig.file('aci-ca.crt', authority.certPem) } } });
});

afterAll(async () => {
  await relay?.stop(5000);
  web?.close();
  await aci?.close();
  await rig?.close();
});

/** Who translates what: the API server of kubectl's WebSocket, kubectl by itself, nobody. */
const ways = [
  { way: 'a WebSocket that the API server makes SPDY of', features: [], env: {} },
  {
    way: 'SPDY all the way',
    features: [],
    env: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' },
  },
  { way: 'a WebSocket all the way', features: ['ExtendWebSocketsToKubelet'], env: {} },
] as const;

const metric = async (): Promise<string> => (await kubectl(['get', '--raw', '/metrics'])).stdout;
const proxied = async (): Promise<number> =>
  Number(
    /apiserver_websocket_streaming_requests_total\{[^}]*proxy_type="proxied_to_kubelet"[^}]*subresource="exec"[^}]*\} (\d+)/.exec(
      await metric(),
    )?.[1] ?? 0,
  );

describe.each(ways)('over $way', ({ features, env }) => {
  beforeAll(() => rig.declare(node, features));

  it('exec: output, and the exit code of the command', async () => {
    const before = await proxied();
    const seven = await exec(['web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'], { env });
    expect(seven).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\ncommand terminated with exit code 7\n' });
    expect(await exec(['web', '--', 'true'], { env })).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await proxied()) > before).toBe(features.length > 0);
  });

  it('exec: arguments arrive as they are', async () => {
    const words = ['a b', '', "it's", '"$HOME"', '\n', '*', 'é\u0007', '--', '-n', '%s\\n'];
    const { stdout } = await exec(['web', '--', 'printf', '<%s>', ...words], { env });
    expect(stdout).toBe(words.map((word) => `<${word}>`).join(''));
  });

  it('exec -i: every byte of the input, its end, and what the command makes of it', async () => {
    const input = randomBytes(60_000);
    const { stdout, code } = await exec(['-i', 'web', '--', 'sha256sum'], { env, input });
    expect([stdout, code]).toEqual([`${hash(input)}  -\n`, 0]);
    const head = await exec(['-i', 'web', '--', 'head', '-c', '3'], { env, input: 'abcdef'.repeat(10_000) });
    expect([head.stdout, head.code]).toEqual(['abc', 0]);
  });

  it('cp: a folder there and back', async () => {
    const here = join(rig.dir, `cp-${ways.findIndex((one) => one.env === env)}`);
    const content = randomBytes(100_000);
    mkdirSync(join(here, 'folder'), { recursive: true });
    writeFileSync(join(here, 'folder', 'bytes'), content);
    writeFileSync(join(here, 'folder', 'empty'), '');
    const there = await kubectl(['cp', join(here, 'folder'), `web:${here}/there`], { env });
    expect(there).toMatchObject({ code: 0 });
    expect(hash(readFileSync(join(here, 'there', 'bytes')))).toBe(hash(content));
    const back = await kubectl(['cp', `web:${here}/there`, join(here, 'back')], { env });
    expect(back).toMatchObject({ code: 0 });
    expect(hash(readFileSync(join(here, 'back', 'bytes')))).toBe(hash(content));
    expect(readFileSync(join(here, 'back', 'empty'))).toHaveLength(0);
  });

  it('exec -it: a terminal of the size of the window', async () => {
    const args = `--kubeconfig ${rig.cluster.kubectl.kubeconfig} exec -it web -- sh -c 'stty size; tty; exit 5'`;
    const shell = `stty rows 33 cols 111; ${rig.cluster.kubectl.binary} ${args}; echo "code $?"`;
    const child = spawn('script', ['-qfec', shell, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, KUBERC: 'off', ...env },
    });
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    await until('the end', () => shown.includes('code '));
    child.stdin.end();
    expect(shown).toMatch(/33 111\r+\n\/dev\/pts\/\d+\r+\n/);
    expect(shown).toMatch(/code 5\r+\n/);
  });

  it('port-forward: requests at once, a large one, and a port that nobody listens on', async () => {
    const { port } = web.address() as AddressInfo;
    const child = spawn(
      rig.cluster.kubectl.binary,
      ['--kubeconfig', rig.cluster.kubectl.kubeconfig, 'port-forward', 'pod/web', `:${port}`, ':1'],
      { env: { ...process.env, KUBERC: 'off', ...env } },
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    try {
      await until('it listens', () => [...said.matchAll(/Forwarding from 127\.0\.0\.1:\d+/g)].length === 2);
      const [good = '', bad = ''] = [...said.matchAll(/Forwarding from 127\.0\.0\.1:(\d+)/g)].map((match) => match[1]);
      const url = `http://127.0.0.1:${good}`;
      const texts = await Promise.all(Array.from({ length: 20 }, async () => (await fetch(url)).text()));
      expect(new Set(texts)).toEqual(new Set(['welcome']));
      const body = randomBytes(5_000_000);
      expect(await (await fetch(url, { method: 'POST', body })).text()).toBe('5000000');
      await expect(fetch(`http://127.0.0.1:${bad}`)).rejects.toThrow('fetch failed');
      await until('the reason', () => /dial tcp 127\.0\.0\.1:1: connect: connection refused/.test(said));
    } finally {
      child.kill();
    }
  });

  it('attach: what is written from now on, until the container ends', async () => {
    const attached = kubectl(['attach', 'web'], { env });
    await until('it listens', () => aci.attached === 1);
    aci.write('one\n');
    aci.write('two\n');
    aci.endOutput();
    expect(await attached).toMatchObject({ code: 0, stdout: 'one\ntwo\n' });
  });

  it('what can not be is said in the words of a kubelet', async () => {
    const missing = await exec(['web', '--', 'no-such-program'], { env });
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('exec: "no-such-program": executable file not found in $PATH');
    await rig.apply(pod('waiting'));
    const waiting = await exec(['waiting', '--', 'ls'], { env });
    expect(waiting.stderr).toMatch(/container not found \("main"\): it is not running/);
    const noAddress = await kubectl(['port-forward', 'pod/web', ':0'], { env, timeoutMs: 10_000 });
    expect(noAddress.code).not.toBe(0);
  });

  it('fifty at once, and nothing is left', async () => {
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        exec(['web', '--', 'sh', '-c', `echo ${index}; exit ${index}`], { env, timeoutMs: 120_000 }),
      ),
    );
    expect(all.map(({ code, stdout }) => [code, stdout])).toEqual(all.map((_, index) => [index, `${index}\n`]));
    await until('nothing is left', () => aci.running === 0);
  });
});
