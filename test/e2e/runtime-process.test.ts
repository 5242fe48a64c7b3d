import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProcessRuntime } from '../../infra/local/aci/runtime/process.ts';
import type { ContainerRuntime, RunningContainer } from '../../infra/local/aci/runtime/runtime.ts';

const folder = mkdtempSync(join(tmpdir(), 'runtime-process-'));
const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount';
let runtime: ContainerRuntime;

beforeAll(async () => {
  runtime = await createProcessRuntime({ stateDir: folder, bubblewrap: true });
  const files = { token: Buffer.from('s3cret') };
  await runtime.createSandbox({
    id: 'box',
    hostname: 'box-1',
    volumes: [
      { name: 'scratch', kind: 'empty' },
      { name: 'token', kind: 'files', files },
    ],
  });
});

afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(name: string, script: string): Promise<RunningContainer> {
  const started = await runtime.startContainer('box', {
    name,
    image: 'a',
    command: ['sh', '-c', script],
    environment: {},
    mounts: [
      { volume: 'scratch', mountPath: '/data/scratch', readOnly: false },
      { volume: 'token', mountPath: tokenPath, readOnly: true },
    ],
  });
  if (started.kind === 'start-fault') throw new Error(started.message);
  return started;
}

describe('child processes under bubblewrap', () => {
  it('have their volumes at their paths, their hostname and their own process ids', async () => {
    expect((await (await start('writer', 'echo hello > /data/scratch/x; exit 7')).wait()).exitCode).toBe(7);
    const reader = await start(
      'reader',
      `cat /data/scratch/x ${tokenPath}/token; echo; hostname; echo $$; touch ${tokenPath}/x || touch /etc/x || echo refused`,
    );
    expect(await reader.wait()).toMatchObject({ exitCode: 0 });
    const lines = (await reader.readLogs({ timestamps: false }))
      .split('\n')
      .filter((line) => !line.startsWith('touch:'));
    expect(lines).toEqual(['hello', 's3cret', 'box-1', '1', 'refused', '']);
  });

  it('heed a stop and are killed when they do not', async () => {
    const polite = await start('polite', 'trap "exit 143" TERM; echo ready; while :; do sleep 0.05; done');
    const stubborn = await start('stubborn', 'trap "" TERM; echo ready; while :; do sleep 0.05; done');
    for (const container of [polite, stubborn])
      await expect.poll(() => container.readLogs({ timestamps: false })).toBe('ready\n');
    await Promise.all([polite.stop(5), stubborn.stop(0.3)]);
    expect((await polite.wait()).exitCode).toBe(143);
    expect((await stubborn.wait()).exitCode).toBe(137);
  });

  it('run commands for probes with the same files', async () => {
    const container = await start('main', 'sleep 1000');
    expect(await container.execute(['sh', '-c', `cat ${tokenPath}/token; exit 3`], 5000)).toEqual({
      exitCode: 3,
      output: 's3cret',
    });
    await container.stop(0);
    expect((await container.wait()).exitCode).toBe(137);
  });
});
