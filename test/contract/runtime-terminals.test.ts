import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRealClock } from '../../infra/local/aci/clock.ts';
import { openTerminalBeside } from '../../infra/local/aci/runtime/process/beside.ts';
import { createProcessRuntime } from '../../infra/local/aci/runtime/process.ts';
import { ScriptedRuntime } from '../../infra/local/aci/runtime/scripted.ts';
import type { ContainerRuntime, RunningContainer } from '../../infra/local/aci/runtime/runtime.ts';
import { describeTerminals, Screen, talking, talkingScript } from './runtime-terminals.suite.ts';

let count = 0;

async function start(runtime: ContainerRuntime, command: string[]): Promise<RunningContainer> {
  count += 1;
  const spec = { name: `c${count}`, image: 'a', command, environment: { GREETING: 'hello' }, mounts: [] };
  const started = await runtime.startContainer('box', spec);
  if (started.kind === 'start-fault') throw new Error(started.message);
  return started;
}

describe('plain processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'runtime-terminals-'));
  let runtime: ContainerRuntime;
  beforeAll(async () => {
    runtime = await createProcessRuntime({ stateDir: folder, bubblewrap: false });
    await runtime.createSandbox({ id: 'box', hostname: 'box', volumes: [] });
  });
  afterAll(async () => {
    await runtime.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const hands = {
    sleeper: () => start(runtime, ['sleep', '1000']),
    talker: async () => talking(await start(runtime, ['sh', '-c', talkingScript])),
  };
  describeTerminals('plain processes', hands, true);

  it('are plain pipes where no `script` is installed, and say so', async () => {
    const plan = { command: ['true'], environment: { PATH: process.env['PATH'] }, home: folder } as const;
    const order = { size: { rows: 24, columns: 80 }, ended: new Promise(() => {}) };
    const terminal = await openTerminalBeside(plan, { ...order, command: ['sh'] }, false);
    const screen = new Screen(terminal.output);
    await terminal.type(Buffer.from('echo out; echo err >&2; tty; exit\n'));
    await screen.ended;
    expect(screen.shown.split(/\r?\n/u).toSorted()).toEqual([
      '',
      'err',
      'not a tty',
      'out',
      'util-linux (script) is not installed: plain pipes, no terminal',
    ]);
    const absent = await openTerminalBeside(plan, { ...order, command: ['no-such-program'] }, false);
    const failed = new Screen(absent.output);
    await failed.ended;
    expect(failed.shown).toBe('exec: "no-such-program": not found on this machine\r\n');
  });
});

describe('behaviour as data', () => {
  const runtime = new ScriptedRuntime({ clock: createRealClock() });
  beforeAll(() => runtime.createSandbox({ id: 'box', hostname: 'box', volumes: [] }));
  afterAll(() => runtime.close());
  const answers = {
    'echo $GREETING': 'hello\r\n',
    'stty size': '{rows} {columns}\r\n',
    tty: '/dev/pts/0\r\n',
  };
  const lines = Array.from({ length: 100 }, (_, index) =>
    ['tick', 'tock'].map((line) => ({ atMs: index * 100 + 50, line })),
  );
  const behave = (run: object) => start(runtime, ['script', JSON.stringify({ runs: [run] })]);
  const hands = {
    sleeper: () => behave({ terminals: { sh: { prompt: '$ ', answers } } }),
    talker: async () => talking(await behave({ logs: [{ atMs: 0, line: 'early' }, ...lines.flat()] })),
  };
  describeTerminals('behaviour as data', hands, false);
});
