import { describeFault } from '../../../../shared/core/fault.ts';
import type { Fault, Result } from '../../../../shared/core/fault.ts';
import { ownerAnnotation } from '../../../../shared/core/node/node-spec.ts';
import { drainTaint } from './drain-api.ts';
import type { DrainApi } from './drain-api.ts';
import type { DrainNode, DrainPod } from './drain-object.ts';
import { planPod } from './plan-pods.ts';

export interface NodeDrainOptions {
  readonly api: DrainApi;
  readonly node: string;
  /** Whose nodes may be drained; undefined: those of any installation. */
  readonly installation: string | undefined;
  readonly timeoutMs: number;
  /** One line of progress; the same one is not said twice. */
  readonly say: (line: string) => void;
}

/** How far a node is. `foreign`: not ours, nothing of it was touched. */
export type NodeDrainState =
  | { readonly kind: 'empty' }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'busy'; readonly remaining: readonly string[]; readonly fault?: Fault };

/** Empties one node, a round at a time. Every round looks anew, so that it may be begun again at any point. */
export class NodeDrain {
  readonly #options: NodeDrainOptions;
  readonly #deletedDaemonSets = new Set<string>();
  readonly #deletedPods = new Set<string>();

  constructor(options: NodeDrainOptions) {
    this.#options = options;
  }

  get node(): string {
    return this.#options.node;
  }

  /** Looks, and asks what is there to go. Waits for nothing. */
  async round(elapsedMs: number): Promise<NodeDrainState> {
    const { api, node, installation } = this.#options;
    const found = await api.getNode(node);
    if (!found.ok && found.fault.kind !== 'not-found') return this.#failed(found.fault);
    if (found.ok) {
      const owner = foreignOwnerOf(found.value, installation);
      if (owner !== undefined) {
        this.#say(`${owner}: it is left alone`);
        return { kind: 'foreign' };
      }
      const cordoned = await this.#cordon(found.value);
      if (!cordoned.ok) return this.#failed(cordoned.fault);
    }
    return this.#empty(elapsedMs);
  }

  async #cordon(node: DrainNode): Promise<Result<void>> {
    const isTainted = node.taints.some(({ key }) => key === drainTaint.key);
    if (node.isUnschedulable && isTainted) return { ok: true, value: undefined };
    const cordoned = await this.#options.api.cordonNode(node);
    if (cordoned.ok) this.#say('takes no new pods');
    return cordoned;
  }

  async #empty(elapsedMs: number): Promise<NodeDrainState> {
    const { api, node, timeoutMs } = this.#options;
    const pods = await api.listPods(node);
    if (!pods.ok) return this.#failed(pods.fault);
    const remaining: string[] = [];
    const held: string[] = [];
    for (const pod of pods.value) {
      const progress = {
        elapsedMs,
        timeoutMs,
        deletedDaemonSets: this.#deletedDaemonSets,
        deletedPods: this.#deletedPods,
      };
      const step = planPod(pod, progress);
      if (step.kind === 'leave') {
        this.#say(`DaemonSet ${pod.daemonSet?.name} puts ${nameOf(pod)} back: it goes with the Node`);
        continue;
      }
      remaining.push(nameOf(pod));
      if (step.kind === 'wait') continue;
      const asked = await this.#ask(pod, step.kind);
      if (!asked.ok) held.push(`${nameOf(pod)} is held: ${describeFault(asked.fault)}`);
    }
    for (const line of held) this.#say(line);
    if (remaining.length === 0) return { kind: 'empty' };
    this.#say(`waits for ${remaining.length} pod${remaining.length === 1 ? '' : 's'} to end`);
    return { kind: 'busy', remaining };
  }

  #ask(pod: DrainPod, how: 'evict' | 'delete'): Promise<Result<void>> {
    const { api } = this.#options;
    if (pod.daemonSet !== undefined) {
      this.#deletedDaemonSets.add(pod.daemonSet.uid);
      this.#deletedPods.add(pod.uid);
    }
    return how === 'evict' ? api.evictPod(pod) : api.deletePod(pod);
  }

  #failed(fault: Fault): NodeDrainState {
    this.#say(`to be tried again: ${describeFault(fault)}`);
    return { kind: 'busy', remaining: [], fault };
  }

  #say(line: string): void {
    this.#options.say(`${this.#options.node}: ${line}`);
  }
}

const nameOf = ({ namespace, name }: DrainPod): string => `${namespace}/${name}`;

/** Why the Node is none of ours; undefined: it is. */
function foreignOwnerOf({ owner }: DrainNode, installation: string | undefined): string | undefined {
  if (owner === undefined) return `no installation of serverless-kubelet made it (annotation ${ownerAnnotation})`;
  if (installation === undefined || owner === installation) return undefined;
  return `it belongs to installation "${owner}", not to "${installation}"`;
}
