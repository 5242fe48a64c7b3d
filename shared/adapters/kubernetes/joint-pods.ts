import { ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { Pod } from '../../core/kubernetes/pod.ts';
import type { NodeApi } from '../../ports/node-api.ts';
import { createTogether, ofAll } from './together.ts';
import type { Question } from './together.ts';

/** From so many on one list of the node's pods is cheaper than a list for each. */
const fewestTogether = 4;
/** A list that brings more pods for each that was asked for costs more than it saves. */
const mostForEach = 5;
/** How long a node is known to have too many pods. */
const knownMs = 30_000;

/** The first pods of a node from one consistent read, and whether they are all. */
export interface SomePods {
  readonly pods: readonly Pod[];
  readonly isAll: boolean;
}

interface Asked {
  readonly ref: { readonly namespace: string; readonly name: string };
}

/**
 * `NodeApi.getPod` for many at once: where the node has few more pods than are asked for, one list answers them all, read
 * after each has asked. Otherwise, and when that list fails, each is read by itself.
 */
export function createJointPods(reads: {
  readonly getPod: NodeApi['getPod'];
  readonly listSome: (limit: number, signal: AbortSignal) => Promise<Result<SomePods>>;
}): NodeApi['getPod'] {
  /** The node had more pods than this, a while ago. */
  let [moreThan, seenAtMs] = [0, -Infinity];
  const eachAlone = async (asked: readonly (Asked & Question<Pod | undefined>)[]): Promise<void> => {
    await Promise.all(asked.map(async ({ ref, signal, answer }) => answer(await reads.getPod(ref, signal))));
  };
  const ask = createTogether<Asked, Pod | undefined>(async (asked) => {
    const limit = asked.length * mostForEach;
    const isTooMany = performance.now() - seenAtMs < knownMs && limit <= moreThan;
    if (asked.length < fewestTogether || isTooMany) return eachAlone(asked);
    const some = await reads.listSome(limit, ofAll());
    if (!some.ok) return eachAlone(asked);
    const { pods, isAll } = some.value;
    if (!isAll) [moreThan, seenAtMs] = [limit, performance.now()];
    const found = new Map(pods.map((pod) => [`${pod.metadata.namespace}/${pod.metadata.name}`, pod]));
    const alone = asked.filter(({ ref, answer }) => {
      const pod = found.get(`${ref.namespace}/${ref.name}`);
      if (pod === undefined && !isAll) return true;
      answer(ok(pod));
      return false;
    });
    await eachAlone(alone);
  });
  return ({ namespace, name }, signal) => ask({ ref: { namespace, name } }, signal);
}
