import { describe, expect, it } from 'vitest';
import { answerPodReports } from '../../shared/app/answer-pod-reports.ts';
import type { Answer } from '../../shared/app/run-http.ts';
import { agentKey, signature } from '../../shared/core/agent/key.ts';
import { agentRoot as root, agentSettings as known } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const retired = Buffer.alloc(32, 8);
const config = { entrypoint: ['/entry'], cmd: [], env: {}, workingDir: '', user: '' };
const containers = [{ name: 'main', image: 'serves', lifecycle: { postStart: { exec: { command: ['/x'] } } } }];

async function worldOf(names: readonly string[] = ['p'], settings = known): Promise<World> {
  const world = await createWorld({ settings });
  world.imageRegistry.put('index.docker.io/library/serves', 'latest', { digest: `sha256:${'ab'.repeat(32)}`, config });
  for (const name of names) world.createPod('serves', { containers }, { name });
  await world.run(60);
  return world;
}

interface Sent {
  readonly uid?: string;
  readonly change?: Readonly<Record<string, unknown>>;
  /** Whose key it is signed with, if another's than that which it names. */
  readonly key?: { readonly uid?: string; readonly nonce?: string; readonly root?: Uint8Array };
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const rowOf = (world: World, uid: string) => {
  const row = world.rows().find((one) => one.uid === uid);
  if (row?.agent === undefined) throw new Error('the row knows of no agent');
  return { uid, ...row.agent.key };
};

function send(world: World, name: string, sent: Sent = {}): Promise<Answer> {
  const own = rowOf(world, world.pod(name)?.metadata.uid ?? '');
  const at = new Date(world.now).toISOString();
  const ended = { exitCode: 3, reason: 'Error', startedAt: at, finishedAt: at };
  const state = { phase: 'ended', started: false, ready: false, restarts: 0, final: true, ended };
  const report = {
    schemaVersion: 1,
    podUid: own.uid,
    nonce: own.nonce,
    kid: own.kid,
    container: 'main',
    bootId: '019ad1c0ffee-00000001',
    number: 1,
    sentAt: at,
    state,
    ...sent.change,
  };
  const body = Buffer.from(sent.body ?? JSON.stringify(report));
  const scope = { podUid: sent.key?.uid ?? report.podUid, nonce: sent.key?.nonce ?? report.nonce };
  const headers = new Headers({
    'content-type': 'application/json',
    authorization: signature(agentKey(sent.key?.root ?? root, scope), body),
    ...sent.headers,
  });
  const request = {
    headers,
    params: { uid: sent.uid ?? own.uid },
    arrayBuffer: async () => new Uint8Array(body).buffer,
  };
  return answerPodReports({
    request,
    log: world.deps.log,
    load: async () => ({ ok: true, deps: world.deps }),
    deadlineMs: 9_000,
  });
}

describe('POST reports', () => {
  it('is 204 for who has the key of the pod’s group, and in the status', async () => {
    const world = await worldOf();
    expect(await send(world, 'p')).toEqual({ status: 204 });
    expect(world.statusOf()).toBe('Failed, main: Error 3');
  });

  it.each<[string, number, (own: string, other: string) => Sent]>([
    ['signed with another pod’s key', 401, (_, other) => ({ key: { uid: other } })],
    ['signed with the key of another PUT', 401, () => ({ key: { nonce: 'older' } })],
    ['of another PUT, rightly signed', 410, () => ({ change: { nonce: 'older' } })],
    ['of another root that nobody knows', 401, () => ({ change: { kid: 'r9' } })],
    ['signed with another root', 401, () => ({ key: { root: retired } })],
    ['not signed', 401, () => ({ headers: { authorization: '' } })],
    ['signed by a password', 401, () => ({ headers: { authorization: 'Bearer x' } })],
    ['that names another pod', 422, (_, other) => ({ change: { podUid: other } })],
    ['sent to another pod’s address', 422, (_, other) => ({ uid: other })],
    ['of a pod that nobody knows', 404, () => ({ uid: 'nobody', change: { podUid: 'nobody' } })],
    ['that is garbage', 400, () => ({ body: 'garbage' })],
    ['that is no report', 400, () => ({ change: { state: {} } })],
    ['that is no text', 400, () => ({ body: '\ud800' })],
    ['of a megabyte', 413, () => ({ body: 'x'.repeat(1_000_000) })],
    ['that is called a form', 415, () => ({ headers: { 'content-type': 'application/x-www-form-urlencoded' } })],
  ])('one %s is %i and changes nothing', async (_, status, sentOf) => {
    const world = await worldOf(['p', 'q']);
    const before = JSON.stringify(world.rows());
    const uidOf = (name: string): string => world.pod(name)?.metadata.uid ?? '';
    expect((await send(world, 'p', sentOf(uidOf('p'), uidOf('q')))).status).toBe(status);
    expect([world.statusOf('p'), world.statusOf('q')]).toEqual(['Running, main: running', 'Running, main: running']);
    expect(JSON.stringify(world.rows())).toBe(before);
  });

  it('of a former root is heard as long as the app has it', async () => {
    const world = await worldOf();
    const rotatedTo = (names: readonly string[]) => {
      const roots = Object.fromEntries(names.map((name) => [name, new Uint8Array(name === 'r1' ? root : retired)]));
      world.deps = {
        ...world.deps,
        settings: { ...world.deps.settings, AGENT_ROOT_KEYS: { current: 'r2', roots } },
      };
    };
    rotatedTo(['r2']);
    expect((await send(world, 'p')).status).toBe(401);
    rotatedTo(['r2', 'r1']);
    expect((await send(world, 'p')).status).toBe(204);
  });

  it('of a pod that never stops is held back, and of no other', async () => {
    const world = await worldOf(['p', 'q']);
    const answers = [];
    for (let number = 1; number <= 220; number += 1)
      answers.push((await send(world, 'p', { change: { number } })).status);
    expect(new Set(answers)).toEqual(new Set([204, 429]));
    expect((await send(world, 'q')).status).toBe(204);
  });

  it('of containers that the pod has not never makes its row too large for the Table service, and those of another', async () => {
    const world = await worldOf(['p', 'q']);
    const at = new Date(world.now).toISOString();
    const ended = { exitCode: 1, reason: 'Error', message: '"'.repeat(4096), finishedAt: at };
    const state = { phase: 'ended', started: false, ready: false, restarts: 0, final: false, ended, lastEnded: ended };
    for (let name = 1; name <= 150; name += 1)
      expect((await send(world, 'p', { change: { container: `c${name}`, state } })).status).toBe(204);
    const lengths = world.rows().map((row) => JSON.stringify(row).length);
    expect(Math.max(...lengths)).toBeGreaterThan(100_000);
    expect(Math.max(...lengths)).toBeLessThan(500_000);
    expect([world.statusOf('p'), world.statusOf('q')]).toEqual(['Running, main: running', 'Running, main: running']);
  });

  it('is 503 as long as the app has no valid settings, and says nothing of them', async () => {
    const world = await worldOf();
    const answer = await answerPodReports({
      request: {
        headers: new Headers({ 'content-type': 'application/json' }),
        params: { uid: 'x' },
        arrayBuffer: async () => new ArrayBuffer(2),
      },
      log: world.deps.log,
      load: async () => ({ ok: false, problem: 'settings', message: 'AGENT_ROOT_KEYS: secret' }),
      deadlineMs: 9_000,
    });
    expect(answer.status).toBe(503);
    expect(JSON.stringify(answer)).not.toContain('secret');
  });
});
