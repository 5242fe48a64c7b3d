import pLimit from 'p-limit';
import { isSameKey } from '../core/agent/access.ts';
import { liveMemory, withGiven } from '../core/agent/files/file-memory.ts';
import type { FileMemory, VolumeMemory } from '../core/agent/files/file-memory.ts';
import { judgeVolume, sentBytes, sentVolume } from '../core/agent/files/judge-volume.ts';
import type { AskedVolume, VolumeVerdict } from '../core/agent/files/judge-volume.ts';
import { volumeSources } from '../core/agent/files/volume-sources.ts';
import { agentKey } from '../core/agent/key.ts';
import { ok } from '../core/fault.ts';
import type { Fault, Result } from '../core/fault.ts';
import { isLivingPod } from '../core/kubernetes/pod.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { placed } from '../core/pod/annotations/placed.ts';
import { wishesOf } from '../core/pod/annotations/read-wishes.ts';
import type { EnvironmentScope } from '../core/pod/environment.ts';
import { tokenRequest, volumeReferences } from '../core/pod/references.ts';
import { allocate } from '../core/pod/resources.ts';
import type { PodRow } from '../core/reconcile/pod-row.ts';
import { mostAnswerBytes } from '../wire/agent-protocol/files.ts';
import type { ChangedVolume, FilesRequest } from '../wire/agent-protocol/files.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { rememberGiven } from './remember-given.ts';
import { reportKeptVolume } from './report-kept-volume.ts';
import { resolveReferences } from './resolve-references.ts';

/** What an agent gets that asked for its live volumes, and whose signature is right. */
export type GivenFiles =
  /** Those that changed. */
  | { readonly kind: 'given'; readonly volumes: readonly ChangedVolume[] }
  /** It is of another PUT than the one that made the pod's group, or the pod has ended: it gets nothing, ever. */
  | { readonly kind: 'gone' }
  /** The row does not say which PUT made the group, or not yet. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable'; readonly fault: Fault };

const tokensAtOnce = 4;

/** A pod whose agent asks. */
interface Asking {
  readonly deps: Deps;
  readonly node: NodeDeps;
  readonly row: PodRow;
  readonly memory: FileMemory;
  readonly pod: Pod;
  /** Table service's time. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/**
 * The files of the live volumes that a container's agent asks for, as they are now: of its own container alone, by what the
 * pod's row says of its group, and read as the pod's node. What is missing and required keeps the files as they are, with
 * an event, as with a kubelet. Idempotent, but for tokens, which are issued anew while the row does not say that the agent
 * has them. Cost: one read of the row and one of the pod, one of each object, one TokenRequest for each token that is due.
 */
export async function giveFiles(
  deps: Deps,
  node: NodeDeps,
  request: FilesRequest,
  signal: AbortSignal,
): Promise<GivenFiles> {
  const now = await deps.store.now();
  if (!now.ok) return { kind: 'unavailable', fault: now.fault };
  const found = await deps.store.getPod(node.key, request.podUid);
  if (!found.ok) return { kind: 'unavailable', fault: found.fault };
  const row = found.value?.value;
  const key = row?.agent?.key;
  if (row === undefined || key === undefined) return { kind: 'unknown' };
  if (!isSameKey(key, request) || row.intent.kind === 'deleted') return { kind: 'gone' };
  const pod = await node.api.getPod(row, signal);
  if (!pod.ok) return { kind: 'unavailable', fault: pod.fault };
  if (pod.value?.metadata.uid !== row.uid || !isLivingPod(pod.value)) return { kind: 'gone' };
  const memory = liveMemory(row.files) ?? { key, volumes: {} };
  return give({ deps, node, row, memory, pod: pod.value, now: now.value, signal }, request);
}

async function give(asking: Asking, request: FilesRequest): Promise<GivenFiles> {
  const { deps, node, row, pod, signal } = asking;
  const asked = askedVolumes(asking, request);
  const scope = await scopeOf(
    asking,
    asked.map(({ volume }) => volume),
  );
  if (!scope.ok) return { kind: 'unavailable', fault: scope.fault };
  const root = deps.settings.AGENT_ROOT_KEYS?.roots[request.kid];
  if (root === undefined) return { kind: 'unknown' };
  const key = agentKey(root, request);
  const changed: ChangedVolume[] = [];
  const given = new Map<string, Pick<VolumeMemory, 'version' | 'renewAt'>>();
  let bytes = 0;
  for (const one of asked) {
    const { name } = one.volume;
    const verdict = judgeVolume(scope.value, one, { key, now: asking.now });
    const made = await madeVolume(asking, scope.value, one, verdict);
    if (!made.ok) return { kind: 'unavailable', fault: made.fault };
    const { version } = verdict;
    switch (made.value.kind) {
      case 'same':
        given.set(name, { version, ...renewal(one.memory) });
        break;
      case 'kept':
        given.set(name, { version, ...renewal(one.memory) });
        await reportKeptVolume({ deps, node, row, at: asking.now, signal }, { name, version, why: made.value.why });
        break;
      case 'sent': {
        const { volume } = made.value;
        bytes += sentBytes(volume);
        // What is left out is not given, so that the agent is woken for it again.
        if (bytes > mostAnswerBytes && changed.length > 0) break;
        given.set(name, { version, ...renewal(volume) });
        changed.push({ name, revision: volume.revision, files: volume.files });
      }
    }
  }
  await rememberGiven(deps, node, {
    uid: pod.metadata.uid,
    change: (memory) => withGiven(memory, given, unaskedVolumes(memory, request)),
    key: request,
  });
  return { kind: 'given', volumes: changed };
}

const renewal = ({ renewAt }: { readonly renewAt?: number }): { readonly renewAt?: number } =>
  renewAt === undefined ? {} : { renewAt };

/** Those of its container that it does not know as live. */
function unaskedVolumes({ volumes }: FileMemory, request: FilesRequest): ReadonlySet<string> {
  const named = new Set(request.volumes.map(({ name }) => name));
  const own = Object.entries(volumes).filter(([, { container }]) => container === request.container);
  return new Set(own.flatMap(([name]) => (named.has(name) ? [] : [name])));
}

/** Of those that it names the ones that are its own. */
function askedVolumes({ memory, pod }: Asking, { container, volumes }: FilesRequest): readonly AskedVolume[] {
  const named = new Map(volumes.map(({ name, revision }) => [name, revision]));
  return pod.spec.volumes.flatMap((volume): readonly AskedVolume[] => {
    const own = Object.hasOwn(memory.volumes, volume.name) ? memory.volumes[volume.name] : undefined;
    if (own?.container !== container || !named.has(volume.name)) return [];
    return [{ volume, memory: own, known: named.get(volume.name) }];
  });
}

/** What the volumes are made of, as it is now. */
async function scopeOf(
  { deps, node, pod, signal }: Asking,
  volumes: readonly Pod['spec']['volumes'][number][],
): Promise<Result<EnvironmentScope>> {
  const reader = { api: node.api, cluster: node.cluster.api, clock: deps.clock };
  const references = volumeReferences(pod, volumes);
  const read = await resolveReferences(reader, pod.metadata.namespace, references, signal);
  if (!read.ok) return read;
  const facts = placed(node.facts, wishesOf(pod.metadata.annotations));
  const resolved = { ...read.value, images: new Map() };
  return ok({ pod, facts, resolved, allocatable: facts.allocatable, total: allocate(pod).total });
}

type MadeVolume =
  | { readonly kind: 'same' }
  | { readonly kind: 'kept'; readonly why: string }
  | { readonly kind: 'sent'; readonly volume: NonNullable<ReturnType<typeof sentVolume>> };

/** With the tokens that it needs. A fault that another try may not have ends the whole. */
async function madeVolume(
  { node, pod, now, signal }: Asking,
  scope: EnvironmentScope,
  asked: AskedVolume,
  verdict: VolumeVerdict,
): Promise<Result<MadeVolume>> {
  if (verdict.kind !== 'changed') return ok(verdict);
  const sources = volumeSources(asked.volume).tokens;
  const limit = pLimit(tokensAtOnce);
  const answers = await Promise.all(
    sources.map((source) => limit(() => node.api.createToken(tokenRequest(pod, source), signal))),
  );
  const tokens = new Map<(typeof sources)[number], string>();
  const lifetimes: number[] = [];
  for (const [index, answer] of answers.entries()) {
    const source = sources[index];
    if (!answer.ok && (answer.fault.kind === 'transient' || answer.fault.kind === 'throttled')) return answer;
    if (!answer.ok)
      return ok({ kind: 'kept', why: setUpFailed(asked, `failed to fetch token: ${answer.fault.message}`) });
    if (source !== undefined) tokens.set(source, answer.value.value);
    lifetimes.push(answer.value.lifetimeSeconds);
  }
  const volume = sentVolume(scope, asked, { content: verdict.content, tokens, lifetimes, now });
  return ok(
    volume === undefined ? { kind: 'kept', why: setUpFailed(asked, 'it is too large') } : { kind: 'sent', volume },
  );
}

const setUpFailed = ({ volume }: AskedVolume, why: string): string =>
  `MountVolume.SetUp failed for volume "${volume.name}" : ${why}`;
