import type { MemoryCluster } from '../../infra/local/sim/memory-cluster.ts';
import { groupName } from '../../shared/core/group/identity.ts';
import { isTerminalPhase } from '../../shared/core/kubernetes/pod.ts';
import type { Pod } from '../../shared/core/kubernetes/pod.ts';
import type { ObjectRef } from '../../shared/ports/node-api.ts';
import type { ArmServer } from './arm-server.ts';
import type { Journal } from './journal.ts';
import { secretNamespace } from './population.ts';
import type { Action, PodPlan } from './population.ts';
import type { Scheduler } from '../../infra/local/sim/time/scheduler.ts';
import type { Chance } from '../../infra/local/sim/time/chance.ts';

export interface UserParts {
  readonly scheduler: Scheduler;
  readonly cluster: MemoryCluster;
  readonly arm: ArmServer;
  readonly journal: Journal;
  readonly chance: Chance;
  readonly installation: string;
  readonly secret: string;
}

/** Users and controllers: they create, delete, count Jobs' pods, collect garbage, and write conditions of their own. */
export class Users {
  /** By UID; what is made anew is added. */
  readonly plans = new Map<string, PodPlan>();
  readonly #parts: UserParts;
  #copies = 0;
  readonly #counted = new Set<string>();

  constructor(parts: UserParts, population: readonly PodPlan[]) {
    this.#parts = parts;
    const { cluster, scheduler, secret } = parts;
    cluster.references.putSecret({ namespace: secretNamespace, name: 'planted' }, { value: secret });
    scheduler.in(200_000, () => cluster.references.putConfigMap({ namespace: 'default', name: 'late' }, { A: '1' }));
    for (const plan of population) scheduler.in(plan.createAtMs, () => this.#create(plan));
  }

  /** The Job controller counts what has ended, and lets it go. */
  onChange(pod: Pod): void {
    const { scheduler, cluster, chance } = this.#parts;
    const { uid } = pod.metadata;
    const plan = this.plans.get(uid);
    const isOver = isTerminalPhase(pod.status.phase) || pod.metadata.deletionGracePeriodSeconds === 0;
    if (plan?.hasFinalizer !== true || !isOver || this.#counted.has(uid)) return;
    this.#counted.add(uid);
    scheduler.in(chance.between(500, 20_000), () => {
      if (this.#find(plan) !== undefined) cluster.pods.removeFinalizers(refOf(plan));
    });
  }

  /** Somebody deletes the object by force and makes another of the same name, while a call for the first is on its way. */
  replace(uid: string): void {
    const plan = this.plans.get(uid);
    if (plan === undefined || plan.hasFinalizer || this.#find(plan) === undefined) return;
    this.#delete(plan, { kind: 'delete', afterMs: 0, isForced: true, isMadeAnew: false });
    this.#create(this.#anew(plan));
  }

  /** Somebody writes a condition of their own. */
  touch(uid: string): void {
    const plan = this.plans.get(uid);
    if (plan === undefined || this.#find(plan) === undefined) return;
    const status = this.#parts.chance.isHit(0.5) ? 'True' : 'False';
    this.#parts.cluster.pods.setCondition(refOf(plan), { type: 'example.com/probe', status });
  }

  /** The node controller takes the node for dead for a moment. */
  flap(node: string): void {
    const { cluster, journal } = this.#parts;
    journal.note('', `node ${node} flaps`);
    const running = cluster.pods.list().filter((pod) => pod.spec.nodeName === node && pod.status.phase === 'Running');
    for (const pod of running)
      cluster.pods.setCondition(pod.metadata, { type: 'Ready', status: 'False', reason: 'NodeNotReady' });
  }

  /** The Node is deleted, and the pod garbage collector removes its pods. */
  deleteNode(node: string): void {
    const { cluster, journal } = this.#parts;
    journal.note('', `node ${node} is deleted`);
    cluster.nodes.delete(node);
    for (const pod of cluster.pods.list().filter(({ spec }) => spec.nodeName === node))
      cluster.pods.remove(pod.metadata);
  }

  #create(plan: PodPlan): void {
    const { scheduler, cluster, journal, arm } = this.#parts;
    if (cluster.pods.get(refOf(plan)) !== undefined) return;
    const { uid } = plan.manifest;
    arm.expect(this.#groupOf(plan), uid);
    this.plans.set(uid, plan);
    journal.note(uid, `created as ${plan.manifest.name}, ${JSON.stringify(plan.manifest.spec)}`);
    cluster.pods.create(plan.manifest);
    const { action } = plan;
    if (action !== undefined) scheduler.in(action.afterMs, () => this.#act(plan, action));
  }

  #act(plan: PodPlan, action: Action): void {
    const { arm } = this.#parts;
    if (this.#find(plan) === undefined) return;
    switch (action.kind) {
      case 'delete':
        this.#delete(plan, action);
        return;
      case 'take group away':
        void arm.takeAway(this.#groupOf(plan));
    }
  }

  #delete(plan: PodPlan, action: Extract<Action, { kind: 'delete' }>): void {
    const { cluster, journal } = this.#parts;
    journal.note(plan.manifest.uid, action.isForced ? 'deleted by force' : 'deleted');
    cluster.pods.delete(refOf(plan), action.isForced ? { gracePeriodSeconds: 0 } : {});
    if (action.isMadeAnew) this.#makeAnew(plan);
  }

  /** As soon as the name is free. */
  #makeAnew(plan: PodPlan): void {
    const { scheduler, cluster, chance } = this.#parts;
    scheduler.in(chance.between(500, 5_000), () => {
      if (cluster.pods.get(refOf(plan)) === undefined) this.#create(this.#anew(plan));
      else this.#makeAnew(plan);
    });
  }

  /** The same pod once more, under the same name and another UID. */
  #anew(plan: PodPlan): PodPlan {
    this.#copies += 1;
    const uid = `${plan.manifest.uid}-${this.#copies}`;
    return { ...plan, manifest: { ...plan.manifest, uid }, action: undefined };
  }

  #groupOf({ manifest }: PodPlan): string {
    const { namespace = 'default', name, uid } = manifest;
    return groupName({ installation: this.#parts.installation, namespace, name, uid });
  }

  #find(plan: PodPlan): Pod | undefined {
    const pod = this.#parts.cluster.pods.get(refOf(plan));
    return pod?.metadata.uid === plan.manifest.uid ? pod : undefined;
  }
}

const refOf = ({ manifest }: PodPlan): ObjectRef => ({
  namespace: manifest.namespace ?? 'default',
  name: manifest.name,
});
