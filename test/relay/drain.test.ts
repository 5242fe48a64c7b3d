import { describe, expect, it } from 'vitest';
import { drain } from '../../infra/cluster/relay/drain/drain.ts';
import type { DrainOptions } from '../../infra/cluster/relay/drain/drain.ts';
import { drainTaint } from '../../infra/cluster/relay/drain/drain-api.ts';
import type { DrainApi } from '../../infra/cluster/relay/drain/drain-api.ts';
import type { DrainNode, DrainPod } from '../../infra/cluster/relay/drain/drain-object.ts';
import { parseDrainNode, parseDrainPod } from '../../infra/cluster/relay/drain/drain-object.ts';
import { planPod } from '../../infra/cluster/relay/drain/plan-pods.ts';
import { fail, ok } from '../../shared/core/fault.ts';
import type { Fault, Result } from '../../shared/core/fault.ts';

const gone: Fault = { kind: 'not-found', code: 'NotFound', message: 'it is not there' };
const pod = (name: string, over: Partial<DrainPod> = {}): DrainPod => ({
  namespace: 'default',
  name,
  uid: `uid-${name}`,
  isTerminating: false,
  daemonSet: undefined,
  ...over,
});
const node = (name: string, over: Partial<DrainNode> = {}): DrainNode => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  owner: 'prod',
  isUnschedulable: false,
  taints: [{ key: 'virtual-kubelet.io/provider', value: 'azure', effect: 'NoSchedule' }],
  ...over,
});

interface LivingPod extends DrainPod {
  readonly node: string;
  /** Seconds from the end's beginning to the end. */
  readonly grace: number;
  readonly isGuarded: boolean;
  readonly endsAt: number;
}

/** A cluster with an app that ends what is deleted, on virtual time; it says what was done, and when, in seconds. */
class World implements DrainApi {
  now = 0;
  readonly nodes = new Map<string, DrainNode>();
  readonly leases = new Set<string>();
  pods: LivingPod[] = [];
  readonly bindings = new Set(['app']);
  readonly did: string[] = [];
  readonly lines: string[] = [];
  /** Makes a DaemonSet's pod anew though the node is tainted. */
  tolerant = false;
  /** How the next calls of a method fail. */
  readonly faults = new Map<string, Fault[]>();
  #made = 0;

  add(one: DrainNode, ...pods: readonly (Partial<LivingPod> & { readonly name: string })[]): this {
    this.nodes.set(one.name, one);
    this.leases.add(one.name);
    for (const { name, ...over } of pods)
      this.pods.push({ ...pod(name), node: one.name, grace: 5, isGuarded: false, endsAt: Infinity, ...over });
    return this;
  }

  options(over: Partial<DrainOptions> = {}): DrainOptions {
    return {
      api: this,
      nodes: [...this.nodes.keys()],
      installation: 'prod',
      appRoleBinding: 'app',
      timeoutMs: 60_000,
      say: (line) => this.lines.push(line),
      clock: {
        monotonicMs: () => this.now,
        sleep: async (ms) => {
          this.now += ms;
          this.#pass();
        },
      },
      ...over,
    };
  }

  async getNode(name: string): Promise<Result<DrainNode>> {
    const fault = this.#fault('getNode');
    if (fault !== undefined) return fail(fault);
    const found = this.nodes.get(name);
    return found === undefined ? fail(gone) : ok(found);
  }

  async cordonNode({ name, taints }: DrainNode): Promise<Result<void>> {
    const found = this.nodes.get(name);
    if (found === undefined) return fail(gone);
    this.nodes.set(name, { ...found, isUnschedulable: true, taints: [...taints, drainTaint] });
    return ok(undefined);
  }

  async listPods(name: string): Promise<Result<readonly DrainPod[]>> {
    const fault = this.#fault('listPods');
    return fault === undefined ? ok(this.pods.filter((one) => one.node === name)) : fail(fault);
  }

  async evictPod(one: DrainPod): Promise<Result<void>> {
    const found = this.pods.find(({ uid }) => uid === one.uid);
    if (found?.isGuarded === true) return fail({ kind: 'throttled', retryAfterMs: 10_000, message: 'budget web' });
    return this.#end('evict', one);
  }

  async deletePod(one: DrainPod): Promise<Result<void>> {
    return this.#end('delete', one);
  }

  async deleteClusterRoleBinding(name: string): Promise<Result<void>> {
    const fault = this.#fault('deleteClusterRoleBinding');
    if (fault !== undefined) return fail(fault);
    if (this.bindings.delete(name)) this.did.push(`binding ${name} at ${this.now / 1000}`);
    return ok(undefined);
  }

  async deleteNode(name: string): Promise<Result<void>> {
    if (this.nodes.delete(name)) this.did.push(`Node ${name} at ${this.now / 1000}`);
    return ok(undefined);
  }

  async deleteLease(name: string): Promise<Result<void>> {
    this.leases.delete(name);
    return ok(undefined);
  }

  #fault(method: string): Fault | undefined {
    return this.faults.get(method)?.shift();
  }

  async #end(how: string, { uid, name }: DrainPod): Promise<Result<void>> {
    this.did.push(`${how} ${name} at ${this.now / 1000}`);
    this.pods = this.pods.map((one) =>
      one.uid === uid ? { ...one, isTerminating: true, endsAt: this.now + one.grace * 1000 } : one,
    );
    return ok(undefined);
  }

  #pass(): void {
    const over = this.pods.filter(({ endsAt }) => endsAt <= this.now);
    this.pods = this.pods.filter(({ endsAt }) => endsAt > this.now);
    for (const one of over) {
      if (one.daemonSet === undefined || !this.tolerant) continue;
      this.#made += 1;
      const name = `${one.name}-${this.#made}`;
      this.pods.push({ ...one, name, uid: `uid-${name}`, isTerminating: false, endsAt: Infinity });
    }
  }
}

const agent = { name: 'agent', uid: 'uid-ds' };

describe('what is done with a pod', () => {
  const at = (seconds: number, over: object = {}) => ({
    elapsedMs: seconds * 1000,
    timeoutMs: 300_000,
    deletedDaemonSets: new Set<string>(),
    deletedPods: new Set<string>(),
    ...over,
  });
  const deleted = { deletedDaemonSets: new Set(['uid-ds']), deletedPods: new Set(['uid-first']) };
  it.each([
    ['it is evicted', pod('a'), at(0), 'evict'],
    ['… until half of the time is over', pod('a'), at(149), 'evict'],
    ['… and deleted then', pod('a'), at(150), 'delete'],
    ['one that is on its way out is waited for', pod('a', { isTerminating: true }), at(200), 'wait'],
    ["a DaemonSet's is deleted", pod('a', { daemonSet: agent }), at(0), 'delete'],
    ['… and waited for', pod('first', { daemonSet: agent, isTerminating: true }), at(0, deleted), 'wait'],
    ['… but not the next one of it', pod('second', { daemonSet: agent }), at(0, deleted), 'leave'],
    ['… though it ends', pod('second', { daemonSet: agent, isTerminating: true }), at(0, deleted), 'leave'],
  ] as const)('%s', (_sentence, one, progress, kind) => expect(planPod(one, progress)).toEqual({ kind }));
});

describe('a drain', () => {
  it('keeps new pods away, ends what is there, takes the right away, and only then Node and Lease', async () => {
    const world = new World().add(node('aci-1'), { name: 'a' }, { name: 'b', grace: 9 }).add(node('aci-2'));
    expect(await drain(world.options())).toEqual({ kind: 'drained' });
    expect(world.did).toEqual([
      'evict a at 0',
      'evict b at 0',
      'binding app at 10',
      'Node aci-1 at 10',
      'Node aci-2 at 10',
    ]);
    expect(world.leases.size).toBe(0);
    expect(world.lines).toEqual(expect.arrayContaining(['aci-1: takes no new pods', 'aci-1: waits for 2 pods to end']));
    expect(new Set(world.lines).size).toBe(world.lines.length);
  });

  it('may be done again: what is gone is no fault', async () => {
    const world = new World();
    expect(await drain(world.options({ nodes: ['aci-1'] }))).toEqual({ kind: 'drained' });
    expect(world.did).toEqual(['binding app at 0']);
  });

  it('leaves the app its right when none is named', async () => {
    const world = new World().add(node('aci-1'));
    expect(await drain(world.options({ appRoleBinding: undefined }))).toEqual({ kind: 'drained' });
    expect(world.bindings.has('app')).toBe(true);
  });

  it.each([
    ['of another installation', node('aci-1', { owner: 'other' }), 'prod', 'belongs to installation "other"'],
    ['of nobody of ours', node('aci-1', { owner: undefined }), 'prod', 'no installation'],
    ['of nobody of ours, whatever ours is', node('aci-1', { owner: undefined }), undefined, 'no installation'],
  ])('leaves a node %s alone, with a message', async (_whose, one, installation, message) => {
    const world = new World().add(one, { name: 'a' }).add(node('aci-2'), { name: 'b' });
    expect(await drain(world.options({ installation }))).toEqual({ kind: 'drained' });
    expect(world.nodes.get('aci-1')).toEqual(one);
    expect([...world.nodes.keys()]).toEqual(['aci-1']);
    expect(world.did.join()).not.toContain('evict a');
    expect(world.lines.join('\n')).toContain(message);
  });

  it('asks a disruption budget again and again, and deletes after half of the time', async () => {
    const world = new World().add(node('aci-1'), { name: 'web', isGuarded: true });
    expect(await drain(world.options())).toEqual({ kind: 'drained' });
    expect(world.did[0]).toBe('delete web at 30');
    expect(world.lines.filter((line) => line.includes('default/web is held: budget web'))).toHaveLength(1);
  });

  it('takes a budget that allows it meanwhile', async () => {
    const world = new World().add(node('aci-1'), { name: 'web', isGuarded: true });
    const { clock } = world.options();
    const sleep = async (ms: number): Promise<void> => {
      await clock.sleep(ms);
      if (world.now === 10_000) world.pods = world.pods.map((one) => ({ ...one, isGuarded: false }));
    };
    await drain(world.options({ clock: { ...clock, sleep } }));
    expect(world.did[0]).toBe('evict web at 10');
  });

  it('over its time names what is left, and deletes neither right nor Node', async () => {
    const world = new World().add(node('aci-1'), { name: 'slow', grace: 600 }, { name: 'quick' });
    expect(await drain(world.options())).toEqual({ kind: 'timed out', remaining: ['default/slow'] });
    expect(world.now).toBe(60_000);
    expect([world.nodes.size, world.leases.size, world.bindings.size]).toEqual([1, 1, 1]);
  });

  it("deletes a DaemonSet's pod and waits for it; one that keeps coming back is left to go with the Node", async () => {
    const world = new World().add(node('aci-1'), { name: 'agent', daemonSet: agent }).add(node('aci-2'), {
      name: 'agent-of-2',
      daemonSet: agent,
    });
    world.tolerant = true;
    expect(await drain(world.options())).toEqual({ kind: 'drained' });
    expect(world.did.slice(0, 2)).toEqual(['delete agent at 0', 'delete agent-of-2 at 0']);
    expect(world.lines).toContain('aci-1: DaemonSet agent puts default/agent-1 back: it goes with the Node');
    expect(world.did.at(-1)).toBe('Node aci-2 at 6');
  });

  it('passes over what fails for a moment', async () => {
    const world = new World().add(node('aci-1'), { name: 'a' });
    const away: Fault = { kind: 'transient', message: 'ECONNRESET' };
    for (const method of ['getNode', 'listPods', 'deleteClusterRoleBinding']) world.faults.set(method, [away, away]);
    expect(await drain(world.options())).toEqual({ kind: 'drained' });
  });

  it('waits 15 s for a right that it was just given, and no longer', async () => {
    const denied: Fault = { kind: 'denied', code: 'Forbidden', message: 'may not list pods' };
    const world = new World().add(node('aci-1'));
    world.faults.set(
      'listPods',
      Array.from({ length: 5 }, () => denied),
    );
    expect(await drain(world.options())).toEqual({ kind: 'drained' });
    const other = new World().add(node('aci-1'));
    other.faults.set(
      'listPods',
      Array.from({ length: 50 }, () => denied),
    );
    expect(await drain(other.options())).toEqual({
      kind: 'failed',
      message: 'aci-1: Forbidden: may not list pods',
    });
    expect(other.now).toBeLessThan(20_000);
  });

  it('deletes a Node that the app made anew before it had lost its right', async () => {
    const world = new World().add(node('aci-1'));
    const { clock } = world.options();
    const sleep = async (ms: number): Promise<void> => {
      if (world.now === 0) world.add(node('aci-1'));
      await clock.sleep(ms);
    };
    expect(await drain(world.options({ clock: { ...clock, sleep } }))).toEqual({ kind: 'drained' });
    expect(world.nodes.size + world.leases.size).toBe(0);
  });
});

describe('what the API server sends', () => {
  it('of a Node: its owner and its taints', () => {
    const metadata = { name: 'n', uid: 'u', resourceVersion: '1' };
    expect(parseDrainNode({ metadata, spec: {}, status: {} })).toMatchObject({ owner: undefined, taints: [] });
    const annotations = { 'serverless-kubelet.io/owner': 'prod' };
    expect(
      parseDrainNode({ metadata: { ...metadata, annotations }, spec: { unschedulable: true }, status: {} }),
    ).toMatchObject({
      owner: 'prod',
      isUnschedulable: true,
    });
    expect(parseDrainNode({ kind: 'Status' })).toBeUndefined();
  });

  it('of a pod: whether it ends, and the DaemonSet that controls it', () => {
    const metadata = { namespace: 'a', name: 'b', uid: 'c' };
    const ownerReferences = [{ kind: 'DaemonSet', name: 'agent', uid: 'uid-ds', controller: true }];
    expect(parseDrainPod({ metadata: { ...metadata, ownerReferences } })?.daemonSet).toEqual(agent);
    const merely = [{ kind: 'DaemonSet', name: 'agent', uid: 'uid-ds' }];
    expect(parseDrainPod({ metadata: { ...metadata, ownerReferences: merely } })?.daemonSet).toBeUndefined();
    expect(parseDrainPod({ metadata: { ...metadata, deletionTimestamp: '2026-11-23T12:00:00Z' } })?.isTerminating).toBe(
      true,
    );
    expect(parseDrainPod({ metadata: {} })).toBeUndefined();
  });
});
