import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProcessRuntime } from '../../infra/local/aci/runtime/process.ts';
import type { ContainerRuntime, RunningContainer, StartFault } from '../../infra/local/aci/runtime/runtime.ts';
import { describeTerminals, talking, talkingScript } from '../contract/runtime-terminals.suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'runtime-process-'));
/** One of the machine's folders, which a mount into it opens: a container sees what is in it. */
const opened = mkdtempSync('/var/tmp/runtime-process-');
const passing = join(opened, 'passing');
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
  rmSync(opened, { recursive: true, force: true });
});

function tryStart(name: string, script: string, ...places: string[]): Promise<RunningContainer | StartFault> {
  return runtime.startContainer('box', {
    name,
    image: 'a',
    command: ['sh', '-c', script],
    environment: { GREETING: 'hello' },
    mounts: [
      { volume: 'scratch', mountPath: '/data/scratch', readOnly: false },
      { volume: 'token', mountPath: tokenPath, readOnly: true },
      ...places.map((mountPath) => ({ volume: 'scratch', mountPath, readOnly: false })),
    ],
  });
}

async function start(name: string, script: string, ...places: string[]): Promise<RunningContainer> {
  const started = await tryStart(name, script, ...places);
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

  it('run their command once, whatever goes in the machine’s folders while they are started', async () => {
    const churn = setInterval(() => (existsSync(passing) ? rmdirSync(passing) : mkdirSync(passing)), 3);
    const names = Array.from({ length: 40 }, (_, index) => `amid-${index}`);
    const ends = names.map(async (name) => {
      const container = await start(name, 'echo began; exit 7', join(opened, 'data'));
      const { exitCode } = await container.wait();
      return `${exitCode} ${await container.readLogs({ timestamps: false })}`;
    });
    const reported = await Promise.all(ends).finally(() => clearInterval(churn));
    expect(new Set(reported)).toEqual(new Set(['7 began\n']));
  });

  it('run commands for probes when what was there at the start has gone', async () => {
    mkdirSync(passing, { recursive: true });
    const container = await start('before', 'sleep 1000', join(opened, 'data'));
    rmdirSync(passing);
    expect(await container.execute(['sh', '-c', 'echo hi; exit 3'], 5000)).toEqual({ exitCode: 3, output: 'hi\n' });
    await container.stop(0);
  });

  it('do not start where they cannot be laid out, and say why', async () => {
    expect(await tryStart('nowhere', 'true', '/etc/passwd')).toEqual({
      kind: 'start-fault',
      message: expect.stringMatching(/^bwrap: .*passwd/u),
    });
  });
});

let count = 0;
const next = (): string => `terminals-${(count += 1)}`;
describeTerminals(
  'processes under bubblewrap',
  {
    sleeper: () => start(next(), 'exec sleep 1000'),
    talker: async () => talking(await start(next(), talkingScript)),
  },
  true,
);
