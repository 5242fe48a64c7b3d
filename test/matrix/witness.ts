import type { Result } from '../../shared/core/fault.ts';
import type { GroupBody, GroupObservation } from '../../shared/core/group/group.ts';
import { defined } from '../../shared/core/defined.ts';
import type { NodeKey } from '../../shared/core/node/node-key.ts';
import type { Pod } from '../../shared/core/kubernetes/pod.ts';
import type { LogFields } from '../../shared/ports/log.ts';
import type { RowWrite } from '../../shared/adapters/tables/row-table.ts';
import type { PodChange } from '../../infra/local/sim/cluster-pods.ts';
import type { MemoryCluster } from '../../infra/local/sim/memory-cluster.ts';
import { ArmWitness, isArmWrite } from '../../infra/local/sim/oracles/arm-writes.ts';
import type { Call } from '../../infra/local/sim/processes/counted-process.ts';
import { PodStories } from '../../infra/local/sim/oracles/pod-stories.ts';
import type { PodStory } from '../../infra/local/sim/oracles/pod-stories.ts';
import { checkRemoval } from '../../infra/local/sim/oracles/removal.ts';
import { SecretWatch } from '../../infra/local/sim/oracles/secrets.ts';
import { findUntrue, groupsOf, runsOf } from '../../infra/local/sim/oracles/true-status.ts';
import type { Oracle, Outside, Violation } from '../../infra/local/sim/oracles/violation.ts';

export interface WitnessOptions {
  readonly outside: Outside & { readonly cluster: MemoryCluster };
  readonly node: NodeKey;
  /** In every planted value. */
  readonly secret: RegExp;
}

/** Sees every request of the app and every change of a pod, and says at once what may not be. */
export class Witness {
  readonly violations: Violation[] = [];
  readonly arm: ArmWitness;
  readonly #outside: Outside;
  readonly #startedAt: number;
  readonly #secrets: SecretWatch;
  readonly #pods: PodStories;

  constructor({ outside, node, secret }: WitnessOptions) {
    this.#outside = outside;
    this.#startedAt = outside.now;
    const now = (): number => outside.now;
    this.#secrets = new SecretWatch(secret, this.report);
    this.#pods = new PodStories({ now, report: this.report });
    this.arm = new ArmWitness({
      now,
      rows: () => outside.store.readPods(node),
      stories: this.stories,
      report: this.report,
    });
    outside.cluster.watchPods((change, pod) => this.#onPod(change, pod));
  }

  /** By UID. */
  get stories(): ReadonlyMap<string, PodStory> {
    return this.#pods.all;
  }

  get armWrites(): number {
    return this.arm.requests.filter(isArmWrite).length;
  }

  readonly report = (oracle: Oracle, text: string): void => {
    const at = ((this.#outside.now - this.#startedAt) / 1000).toFixed(1);
    this.violations.push({ oracle, text: `${text} (at ${at} s)` });
  };

  onLog(message: string, fields: LogFields | undefined): void {
    this.#secrets.see('a log line', [message, fields]);
  }

  onCall(call: Call): void {
    const [, method = ''] = call.name.split('.');
    if (!call.isSent) return;
    if (call.name.startsWith('groups.')) this.#onArm(call);
    else if (call.name === 'table.submit')
      for (const write of call.args[1] as readonly RowWrite[]) this.#secrets.see('a row', textOf(write));
    else if (['api.createEvent', 'api.repeatEvent', 'api.patchPodStatus'].includes(call.name))
      this.#secrets.see(method, call.args[call.args.length - 1]);
    else if (call.name === 'api.deletePod') this.#onPodRemoved(call);
  }

  #onArm({ instance, name, args, answer: untyped }: Call): void {
    const [group = ''] = args as readonly string[];
    const answer = untyped as Result<unknown>;
    const body = name === 'groups.createOrUpdate' ? (args[1] as GroupBody) : undefined;
    const shown = name === 'groups.get' && answer.ok ? (answer.value as GroupObservation) : undefined;
    const isDone = answer.ok && answer.value !== 'absent';
    this.arm.see({ by: instance.name, name, group, isDone, ...defined({ shown, body }) });
    if (body !== undefined) this.#seeBody(body);
  }

  #seeBody(body: GroupBody): void {
    this.#secrets.see('a tag', body.tags);
    const plain = [...body.containers, ...body.initContainers].flatMap(({ environmentVariables, command }) => [
      command,
      environmentVariables.map(({ name, value }) => [name, value]),
    ]);
    this.#secrets.see('a plain value', plain);
  }

  #onPod(change: PodChange, pod: Pod): void {
    this.#pods.see(change, pod);
    const runs = runsOf(this.#outside.groups, pod.metadata.uid);
    findUntrue(pod, (name) => runs.filter(({ container }) => container === name), this.report);
  }

  #onPodRemoved(call: Call): void {
    const [target, options] = call.args as [Pod, { readonly gracePeriodSeconds?: number }];
    const { uid } = target.metadata;
    const story = this.stories.get(uid);
    if (options.gracePeriodSeconds !== undefined || !(call.answer as Result<void>).ok || story === undefined) return;
    // Another hand was quicker.
    if (story.goneAt !== undefined && story.goneAt !== this.#outside.now) return;
    story.wasForced = false;
    checkRemoval(story.pod, groupsOf(this.#outside.groups, uid).length > 0, this.report);
  }
}

const textOf = (write: RowWrite): string => ('text' in write ? write.text : '');
