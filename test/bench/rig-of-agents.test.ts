import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { scriptsOfImages } from '../../infra/local/aci/runtime/scripted.ts';
import { createAgents } from './rig/agents.ts';
import { agentGround } from './rig/agent-ground.ts';
import { createWorldTime } from './rig/time.ts';

it('in slow motion a moment of this machine is as much nearer to the start', () => {
  const time = createWorldTime(5);
  const now = Date.now();
  expect(time.of(now + 1000) - time.of(now)).toBeCloseTo(200, 6);
});

it('what images do is read strictly', async () => {
  const { scripts } = await agentGround();
  expect(scriptsOfImages(JSON.stringify(scripts))).toEqual(scripts);
  expect(() => scriptsOfImages('{"image":{"runs":"all"}}')).toThrow(/expected array/);
});

/** Stands in for an agent: a program that writes its record beside its orders when the gate opens. */
const program = '#!/bin/sh\ncd "$(dirname "$2")" && read -r n <gate && mkdir -p c/main && echo "$0" >c/main/state\n';
const record = '{"ended":{"finishedAt":"2026-12-01T10:00:00.123456789Z"}}';

it('a program ends when its gate opens, and when it ended is known to fractions of a millisecond', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'agents-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'agent');
  writeFileSync(file, program.replace('"$0"', `'${record}'`));
  chmodSync(file, 0o755);
  const agents = createAgents(join(dir, 'pods'), file);
  const report = { url: 'http://127.0.0.1:1/reports', filesUrl: 'http://127.0.0.1:1/files', kid: 'r1', key: '' };
  const [one] = await agents.start([{ name: 'a', uid: 'u', nonce: 'n', report }]);
  await one?.endAfter(0);
  await one?.exited;
  expect(one?.finishedAtMs()).toBeCloseTo(Date.UTC(2026, 11, 1, 10) + 123.456789, 3);
  await agents.stop();
});
