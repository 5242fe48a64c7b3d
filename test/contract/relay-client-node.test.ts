/** Kubernetes' client for JavaScript, as dashboards and scripts have it, through what an API server makes of its requests. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { Attach, Exec, KubeConfig, PortForward } from '@kubernetes/client-node';
import type { V1Status } from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startApiProxy } from '../relay/api-proxy.ts';
import type { ApiProxy } from '../relay/api-proxy.ts';
import { until } from '../relay/fake-app.ts';
import { StreamRig, serverPair } from '../relay/stream-rig.ts';

let rig: StreamRig;
let proxy: ApiProxy;
let config: KubeConfig;

beforeEach(async () => {
  rig = await StreamRig.open();
  proxy = await startApiProxy(serverPair, rig.port.port);
  config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: proxy.url, skipTLSVerify: true }],
    users: [{ name: 'u', token: 'admin' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
});

afterEach(async () => {
  proxy.close();
  await rig.close();
});

function collector(): { readonly stream: PassThrough; readonly text: () => string } {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

it('exec: output, errors, the end of the input and the exit code', async () => {
  const [out, err, input] = [collector(), collector(), new PassThrough()];
  let status: V1Status | undefined;
  const command = ['sh', '-c', 'cat; echo err >&2; exit 6'];
  await new Exec(config).exec('ns', 'p', 'c', command, out.stream, err.stream, input, false, (one) => (status = one));
  input.end('hello\n');
  await until('the status', () => status !== undefined);
  expect([out.text(), err.text()]).toEqual(['hello\n', 'err\n']);
  expect(status).toMatchObject({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '6' }] },
  });
});

it('attach: what the container writes', async () => {
  const out = collector();
  await new Attach(config).attach('ns', 'p', 'c', out.stream, out.stream, null, false);
  await until('it listens', () => rig.aci.attached === 1);
  rig.aci.write('one\n');
  await until('it is shown', () => out.text() === 'one\n');
  expect(rig.aci.strangers).toBe(0);
  rig.aci.endOutput();
  await until('the end', () => rig.sessions.size === 0);
});

it('port-forward: bytes both ways', async () => {
  const server = createServer((socket) => socket.pipe(socket).on('error', () => undefined));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const [out, err, input] = [collector(), collector(), new PassThrough()];
  await new PortForward(config).portForward('ns', 'p', [port], out.stream, err.stream, input);
  input.write('hello');
  await until('the echo', () => out.text() === 'hello');
  expect(err.text()).toBe('');
  input.end();
  await until('the end', () => rig.sessions.size === 0);
  server.close();
});
