/** Exec and attach into real containers, over the wire. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureImages } from '../../infra/local/aci/images.ts';
import { createEngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import { startEmulator } from '../../infra/local/up/emulator.ts';
import { describeTransfers } from '../contract/exec-transfers.suite.ts';
import { talkingScript } from '../contract/runtime-terminals.suite.ts';
import { ExecClient } from '../local/aci/exec-client.ts';
import { ExecCloud } from '../local/aci/exec-cloud.ts';

const folder = mkdtempSync(join(tmpdir(), 'exec-engine-'));
/** Its shell does not edit lines, as busybox's does, which asks the terminal where the cursor is. */
const debian = { image: 'debian:bookworm-slim' };
/** One static program and nothing else: what holds the sandboxes. */
const bare = { image: 'localhost/serverless-kubelet/pause:1' };
let cloud: ExecCloud;

beforeAll(async () => {
  await ensureImages({ log: () => undefined });
  const runtime = await createEngineRuntime({ stateDir: folder, engine: 'podman', log: () => undefined });
  cloud = await ExecCloud.start({ runtime });
  const environmentVariables = [{ name: 'GREETING', value: 'hello' }];
  await cloud.put('waits', ['sleep', '1000'], { ...debian, environmentVariables });
  await cloud.put('talks', ['sh', '-c', talkingScript], debian);
  await cloud.put('ended', ['sh', '-c', 'exit 3'], debian);
  await cloud.put('bare', [], bare);
  await cloud.provisioned('waits', 'talks', 'ended', 'bare');
  await vi.waitUntil(() => cloud.emulator.core.state.journal.runs.all().some(({ exitCode }) => exitCode === 3), 10_000);
});

afterAll(async () => {
  await cloud?.emulator.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('exec into a container', () => {
  it('is a terminal of the session’s size, with the container’s environment', async () => {
    const invitation = await cloud.exec('waits', 'sh', 33, 77);
    const client = await ExecClient.enter(invitation, cloud.ca);
    await client.shows(/# $/u);
    expect(client.messages[0]?.bytes).toHaveLength(0);
    client.type('stty size; tty; echo $GREETING\r');
    await client.shows(/echo \$GREETING\r\n33 77\r\n\/dev\/pts\/\d+\r\nhello\r\n/u);
    client.type('exit\r');
    expect(await client.closed).toBe(1000);
    await expect(ExecClient.enter(invitation, cloud.ca)).rejects.toThrow('404');
  });

  it('interrupts at Ctrl-C, and Ctrl-D ends the shell', async () => {
    const client = await cloud.shell('waits');
    client.type('sleep 1000\r');
    await client.shows('sleep 1000\r\n');
    client.type('\u0003');
    await client.shows(/\^C[^]*# $/u);
    client.type('\u0004');
    expect(await client.closed).toBe(1000);
  });

  describeTransfers(() => cloud);

  it('leaves the program when its client goes', async () => {
    const client = await cloud.shell('waits');
    client.type('head -c 1000000 /dev/zero | tr "\\0" x; sleep 1; echo done > /tmp/written\r');
    await client.shows('xxx');
    client.socket.terminate();
    const other = await cloud.shell('waits');
    other.type('until cat /tmp/written; do sleep 0.1; done 2>&-\r');
    await other.shows('\r\ndone\r\n');
    expect(other.code).toBeUndefined();
  });

  it('two at once do not hear each other', async () => {
    const [one, other] = await Promise.all([cloud.shell('waits'), cloud.shell('waits')]);
    one.type('echo $GREETING\r');
    await one.shows('\r\nhello\r\n');
    expect(other.shown).not.toContain('hello');
    one.type('exit\r');
    await one.closed;
    other.type('exit\r');
    expect(await other.closed).toBe(1000);
  });

  it.each([
    ['that has ended', 'ended', 'sh', /container c does not run/u],
    ['without a shell', 'bare', '/bin/sh', /\/bin\/sh.*no such file/iu],
    ['where the program is not in the PATH', 'waits', 'no-such-program', /no-such-program.*not found/iu],
    ['of two words as one', 'waits', 'echo hello', /echo hello.*not found/iu],
  ])('%s: 200, and the words on the socket', async (_, group, command, words) => {
    const client = await cloud.enter(group, command);
    expect(await client.closed).toBe(1000);
    expect(client.shown).toMatch(words);
  });

  it('ends with the container', async () => {
    await cloud.put('short', ['sleep', '1000'], debian);
    await cloud.provisioned('short');
    const client = await cloud.shell('short');
    await cloud.send('DELETE', 'short');
    expect(await client.closed).toBe(1000);
  });
});

describe('the port of exec, as npm start has it', () => {
  it('is at the bridge’s address, with a certificate of ARM’s authority', async () => {
    const dir = join(folder, 'start');
    mkdirSync(join(dir, 'logs'), { recursive: true });
    const arm = {
      endpoint: undefined,
      caFile: undefined,
      subscription: 's',
      resourceGroup: 'rg',
      location: 'westeurope',
    };
    const { child, caFile } = await startEmulator(dir, 'engine', { arm, createsPerHour: 300 });
    try {
      const { execUrl, bridge } = child.value;
      expect(new URL(execUrl).hostname).toBe(bridge?.gateway);
      const nobody = `${execUrl}/execstream/sessionId/00000000-0000-4000-8000-000000000000`;
      await expect(ExecClient.connect(nobody, readFileSync(caFile, 'utf8'))).rejects.toThrow('404');
      await expect(ExecClient.connect(nobody, cloud.ca)).rejects.toThrow(/certificate|signature/u);
    } finally {
      await child.stop(30_000);
    }
  });
});

describe('attach to a container', () => {
  it('shows both streams from now on', async () => {
    const client = await cloud.follow('talks');
    await client.shows('tick\n');
    await client.shows('tock\n');
    expect(client.shown).not.toContain('early');
    client.socket.close();
    await client.closed;
  });
});
