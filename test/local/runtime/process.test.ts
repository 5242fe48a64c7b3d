import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProcessRuntime } from '../../../infra/local/aci/runtime/process.ts';
import type {
  ContainerRuntime,
  ContainerSpec,
  RunningContainer,
  StartFault,
} from '../../../infra/local/aci/runtime/runtime.ts';

const folder = mkdtempSync(join(tmpdir(), 'runtime-process-'));
let runtime: ContainerRuntime;

beforeAll(async () => {
  runtime = await createProcessRuntime({ stateDir: folder, bubblewrap: false });
  await runtime.createSandbox({ id: 'box', hostname: 'box', volumes: [{ name: 'v', kind: 'empty' }] });
});

afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount';

function tryStart(more: Partial<ContainerSpec>): Promise<RunningContainer | StartFault> {
  return runtime.startContainer('box', { name: 'c', image: 'a', environment: {}, mounts: [], ...more });
}

async function start(script: string, more: Partial<ContainerSpec> = {}): Promise<RunningContainer> {
  const started = await tryStart({ command: ['sh', '-c', script], ...more });
  if (started.kind === 'start-fault') throw new Error(started.message);
  return started;
}

describe('containers as child processes', () => {
  it('keep exit code and log', async () => {
    const container = await start('echo one; echo "$A"; printf end; exit 7', { environment: { A: 'two' } });
    expect(await container.wait()).toMatchObject({ exitCode: 7, oomKilled: false });
    expect(await container.readLogs({ timestamps: false })).toBe('one\ntwo\nend');
    expect(await container.readLogs({ timestamps: true, tail: 1 })).toMatch(/^\d{4}-.*Z end$/u);
  });

  it.each([
    ['no command', {}, 'has no command'],
    ['a program that is not there', { command: ['no-such-program'] }, 'no-such-program'],
    ['a mount', { command: ['true'], mounts: [{ volume: 'v', mountPath: '/data', readOnly: false }] }, '/data'],
  ])('do not start with %s', async (_name, more, part) => {
    expect(await tryStart(more)).toMatchObject({ kind: 'start-fault', message: expect.stringContaining(part) });
  });

  it('start without the token’s mount and say so', async () => {
    const container = await start('echo hello', { mounts: [{ volume: 'v', mountPath: tokenPath, readOnly: true }] });
    await container.wait();
    expect(await container.readLogs({ timestamps: false })).toMatch(/^the mount at \/var\/run.* left out.*\nhello\n$/u);
  });

  it('heed a stop, children included', async () => {
    const container = await start('sleep 1000 & wait');
    await container.stop(5);
    expect((await container.wait()).exitCode).toBe(143);
    await container.stop(5);
  });

  it('are killed when they do not', async () => {
    const container = await start('trap "" TERM; echo ready; while :; do sleep 0.05; done');
    await expect.poll(() => container.readLogs({ timestamps: false })).toBe('ready\n');
    await container.stop(0.1);
    expect((await container.wait()).exitCode).toBe(137);
  });

  it('run commands for probes', async () => {
    const container = await start('sleep 1000');
    expect(await container.execute(['sh', '-c', 'echo hi; exit 3'], 5000)).toEqual({ exitCode: 3, output: 'hi\n' });
    expect((await container.execute(['sleep', '1000'], 50)).exitCode).toBe(124);
    expect((await container.execute(['no-such-program'], 5000)).exitCode).toBe(127);
    await container.stop(0);
  });

  it('end with their sandbox', async () => {
    const container = await start('sleep 1000');
    await runtime.deleteSandbox('box');
    expect((await container.wait()).exitCode).toBe(137);
    expect(existsSync(join(folder, 'volumes', 'box'))).toBe(false);
    await runtime.close();
    expect(readdirSync(folder)).toEqual([]);
  });
});
