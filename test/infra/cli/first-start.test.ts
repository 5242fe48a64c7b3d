import { describe, expect, it } from 'vitest';
import { findFirstStart, startOpen } from '../../../infra/cli/attach/first-start.ts';
import type { FirstStartPorts, PastFacts } from '../../../infra/cli/attach/first-start.ts';
import { createBudgets } from '../../../shared/adapters/budgets/budgets.ts';
import { createMemoryRegistrations } from '../../../infra/local/sim/memory-registrations.ts';
import { createMemoryTable } from '../../../infra/local/sim/memory-table.ts';
import type { RowTable } from '../../../shared/adapters/tables/row-table.ts';
import { createStateStore } from '../../../shared/adapters/tables/state-store.ts';
import type { Deps } from '../../../shared/app/deps.ts';
import { defaultArmLimits } from '../../../shared/core/budget/plan.ts';
import { fail, ok } from '../../../shared/core/fault.ts';
import type { Result } from '../../../shared/core/fault.ts';
import { groupTags } from '../../../shared/core/group/identity.ts';
import { newNodeRow } from '../../../shared/core/reconcile/node-row.ts';
import type { Spend } from '../../../shared/ports/budgets.ts';
import type { ContainerGroups } from '../../../shared/ports/container-groups.ts';
import type { Registrations } from '../../../shared/ports/registrations.ts';
import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import { clusterUid } from '../../fixtures/settings.ts';
import { World } from '../../app/world.ts';
import { defined } from '../../../shared/core/defined.ts';

const silent = { info: () => undefined, warn: () => undefined };
const unbounded = new AbortController().signal;
const noon = Date.parse('2026-11-23T12:00:00Z');
const minuteMs = 60_000;
const node = { cluster: clusterUid, node: 'aci-1' };
const input = { installation: 'sk', clusterUid, nodes: ['aci-1'], limits: defaultArmLimits };
const buckets = ['reads', 'logs', 'writes', 'deletes', 'create-requests', 'delete-requests'];

/** What `attach` sees of a world; nothing is registered there. */
function portsOf(world: World, registrations: Registrations = createMemoryRegistrations()): FirstStartPorts {
  return {
    table: world.store.table,
    groups: world.groups,
    registrations,
    podsOn: async (name) =>
      world.cluster.pods
        .list()
        .filter(({ spec }) => spec.nodeName === name)
        .map(({ metadata }) => metadata.name),
  };
}

const registrationOf = (world: World): ClusterRegistration => world.clusterDeps().registration;

/** How old the node's marker is; undefined: there is none. */
function markerAge(table: ReturnType<typeof createMemoryTable>, now: number): number | undefined {
  const marker = table.readPartition(`${clusterUid}_aci-1`).find(({ rowKey }) => rowKey.startsWith('born-'));
  return marker === undefined ? undefined : now - Number(marker.rowKey.slice('born-'.length));
}

/** A new world: no table, no group, no pod. Its one node is served as soon as the app runs. */
function newWorld(wrap?: (deps: Deps) => Deps): World {
  const world = new World({ tablesAgeMs: 0, ...defined({ wrap }) });
  world.now = noon;
  return world;
}

describe('a node has no past', () => {
  const owner = { installation: 'sk', cluster: 'another', node: 'aci-9', namespace: 'n', name: 'p', uid: 'u' };
  const listed = { name: 'g', tags: groupTags(owner, 'h'), provisioningState: 'Succeeded', cpu: 1 };
  const nothing: PastFacts = {
    installation: 'sk',
    clusterUid,
    isTableEmpty: true,
    groups: [],
    nodes: [{ name: 'aci-1', hasRows: false, pods: [] }],
    registered: [],
  };
  const world = newWorld();

  it('where there is nothing at all', () => {
    expect(findFirstStart(nothing)).toEqual({ nodes: ['aci-1'], isFirst: true });
  });

  it.each<[string, Partial<PastFacts>]>([
    ['it has rows', { nodes: [{ name: 'aci-1', hasRows: true, pods: [] }] }],
    ['a pod is bound to it', { nodes: [{ name: 'aci-1', hasRows: false, pods: ['default/p'] }] }],
    ['it is registered', { registered: [registrationOf(world)] }],
    ['ARM has a group of the installation, of whatever cluster', { groups: [listed] }],
  ])('but not where %s', (_, changes) => {
    expect(findFirstStart({ ...nothing, ...changes })).toEqual({ nodes: [], isFirst: false });
  });

  it('though the installation has one', () => {
    const second = {
      ...nothing,
      isTableEmpty: false,
      nodes: [
        { name: 'aci-1', hasRows: true, pods: ['default/p'] },
        { name: 'aci-2', hasRows: false, pods: [] },
      ],
    };
    expect(findFirstStart(second)).toEqual({ nodes: ['aci-2'], isFirst: false });
  });

  it("whoever else's groups are there", () => {
    const foreign = { ...listed, tags: groupTags({ ...owner, installation: 'other' }, 'h') };
    expect(findFirstStart({ ...nothing, groups: [foreign] }).nodes).toEqual(['aci-1']);
  });
});

/** Ends the process at its `at`-th write: before it, or after its effect. */
class Cut extends Error {}
function cutAt(at: number, isAfter: boolean) {
  let writes = 0;
  const write = async <T>(act: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (writes === at && !isAfter) throw new Cut();
    const answer = await act();
    if (writes === at) throw new Cut();
    return answer;
  };
  return { write, writes: () => writes };
}

describe('the first rows', () => {
  it("let a process start at once whose clock of the service is behind attach's", async () => {
    const world = newWorld();
    await startOpen(portsOf(world), input, unbounded);
    // A header's whole second, and what it took on its way.
    world.now = noon - 1_800;
    world.createPod('serves');
    await world.deliver();
    expect(world.groups.puts()).toHaveLength(1);
  });

  it('are a marker of more than a minute ago and open budgets, and a second run leaves them', async () => {
    const world = newWorld();
    expect(await startOpen(portsOf(world), input, unbounded)).toEqual(ok({ nodes: ['aci-1'], isFirst: true }));
    expect(markerAge(world.store.table, noon)).toBeGreaterThan(minuteMs);
    const states = await Promise.all(buckets.map((name) => world.store.getBucket(name)));
    expect(states.every((state) => state.ok && state.value !== undefined)).toBe(true);
    const before = world.store.table.changes();
    expect(await startOpen(portsOf(world), input, unbounded)).toEqual(ok({ nodes: [], isFirst: false }));
    expect(world.store.table.changes()).toBe(before);
  });

  it('leave budgets alone that are there, and those of an installation that is not new', async () => {
    const world = newWorld();
    await world.store.upsertNode({ cluster: 'another', node: 'aci-9' }, newNodeRow(), undefined);
    expect(await startOpen(portsOf(world), input, unbounded)).toEqual(ok({ nodes: ['aci-1'], isFirst: false }));
    expect(await world.store.getBucket('create-requests')).toEqual(ok(undefined));
  });

  it.each(['nextPartition', 'query', 'submit', 'now'] as const)(
    'are not written when the table refuses %s, and attach hears why',
    async (method) => {
      const world = newWorld();
      const denied = async (): Promise<Result<never>> =>
        fail({ kind: 'denied', code: 'AuthorizationPermissionMismatch', message: 'not allowed' });
      const table: RowTable = { ...world.store.table, [method]: denied };
      const started = await startOpen({ ...portsOf(world), table }, input, unbounded);
      expect(started).toMatchObject({ ok: false, fault: { kind: 'denied' } });
      expect(markerAge(world.store.table, noon)).toBeUndefined();
    },
  );

  it('are not written on an incomplete list of ARM or unknown registrations', async () => {
    const world = newWorld();
    world.groups.inject({ method: 'list', moment: 'before', fault: { kind: 'transient', message: 'half' } });
    expect(await startOpen(portsOf(world), input, unbounded)).toMatchObject({ ok: false });
    const registrations = createMemoryRegistrations();
    registrations.fault = { kind: 'transient', message: 'no answer' };
    expect(await startOpen(portsOf(world, registrations), input, unbounded)).toMatchObject({ ok: false });
    expect(markerAge(world.store.table, noon)).toBeUndefined();
  });

  it.each([false, true])('cut off at any write (after it: %s) leave nothing that is not true', async (isAfter) => {
    /** `attach` as far as it writes outside of the cluster. */
    const attach = async (world: World, registrations: Registrations, cut: ReturnType<typeof cutAt>): Promise<void> => {
      const ports = portsOf(world, registrations);
      const { table } = ports;
      const cutTable: RowTable = { ...table, submit: (...args) => cut.write(() => table.submit(...args)) };
      await startOpen({ ...ports, table: cutTable }, input, unbounded);
      const read = await registrations.get(undefined, unbounded);
      const etag = read.ok && read.value.kind === 'read' ? read.value.etag : undefined;
      await cut.write(() => registrations.put([registrationOf(world)], etag, unbounded));
    };
    const whole = cutAt(Infinity, isAfter);
    await attach(newWorld(), createMemoryRegistrations(), whole);
    expect(whole.writes()).toBe(3);
    for (let at = 1; at <= whole.writes(); at += 1) {
      const world = newWorld();
      const registrations = createMemoryRegistrations();
      await expect(attach(world, registrations, cutAt(at, isAfter))).rejects.toThrow(Cut);
      const read = await registrations.get(undefined, unbounded);
      const isRegistered = read.ok && read.value.kind === 'read' && read.value.clusters.length > 0;
      const age = markerAge(world.store.table, noon);
      // Whoever is registered has its marker; a marker without a registration serves nobody.
      expect({ at, ok: !isRegistered || (age ?? 0) > minuteMs }).toEqual({ at, ok: true });
      // The next run goes on from there, an hour later.
      world.now = noon + 3_600_000;
      await attach(world, registrations, cutAt(Infinity, false));
      world.createPod('serves');
      await world.run(2);
      expect({ at, puts: world.groups.puts().length }).toEqual({ at, puts: 1 });
    }
  });
});

describe('a PUT that is under way', () => {
  /**
   * The app has sent a PUT that arrives `lateMs` later, its process is gone, and in this moment the tables and the
   * registrations are lost, and somebody attaches the node anew.
   */
  async function lostWithPutUnderWay(lateMs: number): Promise<World> {
    let held: (() => Promise<unknown>) | undefined;
    const hold = (deps: Deps): Deps => {
      const createOrUpdate: ContainerGroups['createOrUpdate'] = (name, body, signal) => {
        if (held !== undefined) return deps.groups.createOrUpdate(name, body, signal);
        held = () => deps.groups.createOrUpdate(name, body, unbounded);
        return Promise.reject(new Cut());
      };
      const { groups } = deps;
      return {
        ...deps,
        groups: new Proxy(groups, {
          get: (target, key, receiver): unknown =>
            key === 'createOrUpdate' ? createOrUpdate : Reflect.get(target, key, receiver),
        }),
      };
    };
    const world = newWorld(hold);
    await startOpen(portsOf(world), input, unbounded);
    world.createPod('serves');
    await expect(world.run(5)).rejects.toThrow(Cut);
    world.store.clear();
    world.restart();
    await startOpen(portsOf(world), input, unbounded);
    await world.run(lateMs / 1000);
    await held?.();
    await world.run(120);
    return world;
  }

  it.each([0, 5000, 30_000, 55_000])(
    'never meets an aged birth marker: what arrives %i ms after tables and registrations were lost is adopted',
    async (lateMs) => {
      const world = await lostWithPutUnderWay(lateMs);
      expect(world.groups.puts()).toHaveLength(1);
      expect(world.statusOf()).toBe('Running, main: running');
    },
  );

  it('does no harm when its pod is gone: nobody will PUT that pod again', async () => {
    const world = newWorld();
    world.createPod('serves');
    world.deletePod('p', 0);
    expect(await startOpen(portsOf(world), input, unbounded)).toMatchObject({ value: { nodes: ['aci-1'] } });
  });
});

describe('twenty pods at once', () => {
  /** Times of the PUTs in ms since noon. Each request takes a permit, and ARM answers without any count. */
  function countedWorld() {
    const puts: number[] = [];
    const world: World = newWorld((deps) => {
      const monotonicMs = (): number => world.now;
      const budgets = createBudgets(deps.store, defaultArmLimits, { chunk: 4, log: silent, monotonicMs });
      const paid = async <T>(spend: Spend, send: () => Promise<Result<T>>): Promise<Result<T>> => {
        const permit = await budgets.take(spend);
        if (!permit.ok) return permit;
        if (spend === 'write-create') puts.push(world.now - noon);
        const answer = await send();
        if (answer.ok) await budgets.report(spend, { accepted: true });
        return answer;
      };
      const { groups } = deps;
      return {
        ...deps,
        groups: {
          list: (signal) => paid('read-poll', () => groups.list(signal)),
          get: (name, signal, options) => paid('read-poll', () => groups.get(name, signal, options)),
          createOrUpdate: (name, body, signal) => paid('write-create', () => groups.createOrUpdate(name, body, signal)),
          delete: (name, signal) => paid('delete', () => groups.delete(name, signal)),
          stop: (name, signal) => paid('write-end', () => groups.stop(name, signal)),
          listLogs: (request, signal) => paid('read-logs', () => groups.listLogs(request, signal)),
          listMetrics: (name, window, signal) => paid('read-metrics', () => groups.listMetrics(name, window, signal)),
          exec: (request, signal) => paid('write-stream', () => groups.exec(request, signal)),
          attach: (request, signal) => paid('write-stream', () => groups.attach(request, signal)),
          getOperation: (url, signal) => paid('read-poll', () => groups.getOperation(url, signal)),
          listUsages: (signal) => paid('read-poll', () => groups.listUsages(signal)),
        },
      };
    });
    return { world, puts };
  }
  const createTwenty = (world: World): void => {
    for (let index = 0; index < 20; index += 1) world.createPod('serves', {}, { name: `p-${index}` });
  };

  it('after a first attach: the first PUT within 2 s, all within 4 s', async () => {
    const { world, puts } = countedWorld();
    await startOpen(portsOf(world), input, unbounded);
    createTwenty(world);
    await world.run(4);
    expect(puts).toHaveLength(20);
    expect(Math.min(...puts)).toBeLessThanOrEqual(2000);
    expect(Math.max(...puts)).toBeLessThanOrEqual(4000);
  });

  it('after a loss of the tables: none within the minute, and all within 4 s of it', async () => {
    const { world, puts } = countedWorld();
    createTwenty(world);
    await world.run(70);
    expect(puts).toHaveLength(20);
    expect(Math.min(...puts)).toBeGreaterThanOrEqual(minuteMs);
    expect(Math.max(...puts) - Math.min(...puts)).toBeLessThanOrEqual(4000);
  });
});

describe('a table in memory and its rows', () => {
  it('begin the same partition as the app does', async () => {
    const table = createMemoryTable({ now: () => noon });
    const world = newWorld();
    await startOpen({ ...portsOf(world), table }, input, unbounded);
    expect(await createStateStore(table, silent).getBirth(node)).toMatchObject({
      value: { bornAt: noon - minuteMs - 5_000 },
    });
  });
});
