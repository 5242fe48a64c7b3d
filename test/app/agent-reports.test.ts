import { describe, expect, it } from 'vitest';
import { hearReport } from '../../shared/app/hear-report.ts';
import type { Heard } from '../../shared/app/hear-report.ts';
import type { AgentState } from '../../shared/core/agent/reports/report.ts';
import type { Fault } from '../../shared/core/fault.ts';
import type { JsonObject } from '../../shared/core/json.ts';
import type { SignedReport } from '../../shared/wire/agent-protocol/report.ts';
import { agentSettings as known } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const config = { entrypoint: ['/entry'], cmd: [], env: {}, workingDir: '', user: '' };
/** Which makes the agent stay beside the program. */
const hooked = { name: 'main', image: 'serves', lifecycle: { postStart: { exec: { command: ['/x'] } } } };

async function worldOf(spec: JsonObject = {}, wrap?: Parameters<typeof createWorld>[0]): Promise<World> {
  const world = await createWorld({ settings: known, ...wrap });
  world.imageRegistry.put('index.docker.io/library/serves', 'latest', { digest: `sha256:${'ab'.repeat(32)}`, config });
  world.createPod('serves', { containers: [hooked], ...spec });
  await world.run(60);
  return world;
}

function reportOf(world: World, state: Partial<AgentState>, more: Partial<SignedReport> = {}): SignedReport {
  const row = world.row();
  if (row?.agent === undefined) throw new Error('the row knows of no agent');
  return {
    ...row.agent.key,
    podUid: row.uid,
    container: 'main',
    bootId: '019ad1c0ffee-00000001',
    number: 1,
    sentAt: world.now,
    state: {
      phase: 'running',
      startedAt: world.now - 5_000,
      started: true,
      ready: true,
      restarts: 0,
      final: false,
      ...state,
    },
    events: [],
    ...more,
  };
}

const endOf = (world: World, exitCode: number, message?: string): Partial<AgentState> => ({
  phase: 'ended',
  started: false,
  ready: false,
  final: true,
  ended: {
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    startedAt: world.now - 5_000,
    finishedAt: world.now,
    ...(message !== undefined && { message }),
  },
});

const say = (world: World, report: SignedReport): Promise<Heard> =>
  hearReport(world.deps, world.nodeDeps(), report, new AbortController().signal);

const isReady = (world: World): boolean | undefined => world.pod()?.status.containerStatuses[0]?.ready;
const down: Fault = { kind: 'transient', message: 'connection reset' };

describe('a report of an agent', () => {
  it('is in the status at once, without a call of ARM', async () => {
    const world = await worldOf();
    expect([world.statusOf(), isReady(world)]).toEqual(['Running, main: running', false]);
    expect(await world.count('groups.', () => say(world, reportOf(world, {})))).toBe(0);
    expect([world.statusOf(), isReady(world)]).toEqual(['Running, main: running', true]);
    const end = reportOf(world, endOf(world, 3, 'no disk'), { number: 2 });
    expect(await world.count('groups.', () => say(world, end))).toBe(0);
    expect(world.statusOf()).toBe('Failed, main: Error 3');
    const state = world.pod()?.status.containerStatuses[0]?.state;
    expect(state?.kind === 'terminated' && state.message).toBe('no disk');
  });

  it('makes a pod Running that nobody has seen running yet, by one read', async () => {
    const world = await createWorld({ settings: known });
    world.imageRegistry.put('index.docker.io/library/serves', 'latest', {
      digest: `sha256:${'ab'.repeat(32)}`,
      config,
    });
    world.createPod('serves', { containers: [hooked] });
    await world.run(1);
    world.now += 4_500;
    expect(world.pod()?.status.phase).toBe('Pending');
    expect(await world.count('groups.get', () => say(world, reportOf(world, {})))).toBe(1);
    expect([world.statusOf(), isReady(world)]).toEqual(['Running, main: running', true]);
  });

  it('of an end that is a lie ends what runs on, for the pod is over', async () => {
    const world = await worldOf();
    await say(world, reportOf(world, endOf(world, 0)));
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
    await world.run(120);
    expect(await world.groups.get(world.groups.names()[0] ?? '', new AbortController().signal)).toMatchObject({
      value: { state: 'Stopped' },
    });
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
  });

  it('changes nothing when it comes again, late, or from before', async () => {
    const world = await worldOf();
    const first = reportOf(world, {});
    const second = reportOf(world, { ready: false }, { number: 2 });
    await say(world, first);
    await say(world, second);
    const row = JSON.stringify(world.row());
    for (const again of [first, second, { ...second, bootId: '018' }])
      expect(await say(world, again)).toEqual({ kind: 'heard' });
    expect(isReady(world)).toBe(false);
    expect(JSON.stringify(world.row())).toBe(row);
  });

  it('of another PUT is never heard; of a group that the rows do not know yet later', async () => {
    const world = await worldOf();
    expect(await say(world, reportOf(world, endOf(world, 0), { nonce: 'older' }))).toEqual({
      kind: 'of-another-group',
    });
    expect(await say(world, reportOf(world, endOf(world, 0), { podUid: 'nobody' }))).toEqual({ kind: 'unknown-pod' });
    expect(world.statusOf()).toBe('Running, main: running');
  });

  it('is heard again after the rows were lost: the group’s tags say whose agents they are', async () => {
    const world = await worldOf();
    const later = reportOf(world, endOf(world, 3), { number: 2 });
    world.store.clear();
    expect(await say(world, later)).toEqual({ kind: 'unknown-pod' });
    world.restart();
    await world.sweep({ resync: true });
    await world.run(120);
    expect(await say(world, later)).toEqual({ kind: 'heard' });
    expect(world.statusOf()).toBe('Failed, main: Error 3');
  });

  it('is not answered where it could not be written', async () => {
    const world = await worldOf();
    const { store } = world.deps;
    world.deps = { ...world.deps, store: { ...store, upsertPod: async () => ({ ok: false, fault: down }) } };
    expect(await say(world, reportOf(world, endOf(world, 3)))).toEqual({ kind: 'unavailable', fault: down });
    expect(world.statusOf()).toBe('Running, main: running');
  });

  it('is acted on by the next run where the API server is away, for the row is due', async () => {
    const world = await worldOf();
    world.cluster.inject({ method: 'patchPodStatus', moment: 'before', fault: down, times: 3 });
    expect(await say(world, reportOf(world, endOf(world, 3)))).toEqual({ kind: 'heard' });
    await world.run(60);
    expect(world.statusOf()).toBe('Failed, main: Error 3');
  });

  it('is kept while another works on the pod, and acted on when it lets go', async () => {
    const world = await worldOf();
    const [row] = world.rows();
    if (row === undefined) throw new Error('no row');
    const held = await world.deps.store.getPod(world.nodeDeps().key, row.uid);
    if (!held.ok || held.value === undefined) throw new Error('no row');
    const lock = { owner: 'another', until: world.now + 3_000 };
    await world.deps.store.upsertPod(world.nodeDeps().key, { ...row, lock }, { previous: held.value });
    const heard = say(world, reportOf(world, endOf(world, 3)));
    await world.run(5);
    expect(await heard).toEqual({ kind: 'heard' });
    expect(world.statusOf()).toBe('Failed, main: Error 3');
  });

  it('has events, which are the pod’s, each once and with its count', async () => {
    const world = await worldOf();
    const event = {
      n: 1,
      type: 'Warning',
      reason: 'Unhealthy',
      message: 'Liveness probe failed: no',
      lastAt: world.now,
    } as const;
    await say(world, reportOf(world, {}, { events: [{ ...event, count: 1 }] }));
    await say(world, reportOf(world, {}, { events: [{ ...event, count: 1 }] }));
    await say(world, reportOf(world, {}, { number: 2, events: [{ ...event, count: 4 }] }));
    const [one, ...more] = world.cluster.events().filter(({ reason }) => reason === 'Unhealthy');
    expect(one).toMatchObject({
      count: 4,
      message: 'Liveness probe failed: no',
      involved: { fieldPath: 'spec.containers{main}' },
    });
    expect(more).toEqual([]);
  });
});
