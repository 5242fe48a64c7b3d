import type { AgentDecision } from '../agent/decision.ts';
import { isGiven } from '../agent/given.ts';
import type { AgentTier, Tier } from '../agent/tier.ts';
import type { GroupBody, GroupResources } from '../group/group.ts';
import { defined } from '../defined.ts';
import type { JsonObject } from '../json.ts';
import type { Container, Pod } from '../kubernetes/pod.ts';
import { walkSpec } from './field-walk.ts';
import { imageTrouble } from './image-trouble.ts';
import { inspectPod } from './inspect.ts';
import { isSidecar } from '../status/restart.ts';
import { refusedField } from './refused-fields.ts';
import { firstFlat } from './sidecars.ts';
import { oneUnit, parseQuantity } from '../quantity/quantity.ts';
import { allocate, toGroupResources } from './resources.ts';
import { inspectWhole, lateRefusals, translatePod } from './translate.ts';
import type { NodeFacts, Notice, Refusal, ResolvedReferences } from './translation.ts';

export interface ExplainedRefusal {
  /** The pod's `status.reason`. */
  readonly reason: string;
  readonly field: string;
  /** Half a sentence, without the field. */
  readonly why: string;
  /** The tier in which the agent is to give it. */
  readonly agent?: AgentTier;
  readonly wayOut?: string;
}

/** What one container asked for, and what it gets. */
export interface ExplainedContainer {
  readonly name: string;
  readonly isInit: boolean;
  readonly image: string;
  /** Quantities as they were written, or as the API server makes them of the limits. */
  readonly asked: { readonly cpu?: string; readonly memory?: string };
  /** Of an init container all of the group. */
  readonly granted: GroupResources;
  /** Which of the two is not what was asked for. */
  readonly rounded: readonly ('cpu' | 'memory')[];
}

export interface Explanation {
  readonly verdict: 'runs' | 'runs with notes' | 'refused';
  /**
   * Of a pod that runs. Of one that is refused: in which tier the agent would give all that is refused; absent: something
   * is refused that no tier gives.
   */
  readonly tier?: Tier;
  /** For what the pod has the agent: the first field, and how many more. */
  readonly tierReason?: string;
  readonly refusals: readonly ExplainedRefusal[];
  /** What events of the pod would say. */
  readonly notices: readonly Notice[];
  readonly emulated: readonly { readonly field: string; readonly how: string }[];
  readonly containers: readonly ExplainedContainer[];
  /** What the group requests, and is paid for. */
  readonly size: GroupResources;
  /** Absent when it is refused. */
  readonly body?: GroupBody;
}

export interface Explained {
  readonly pod: Pod;
  /** Its spec as somebody wrote it: what the API server adds is not worth a word. */
  readonly written: JsonObject;
  readonly facts: NodeFacts;
  readonly resolved: ResolvedReferences;
  /** Of the pod's images those of which nothing is known: they are taken to be as the pod asks. */
  readonly assumedImages?: readonly string[];
}

/** All that becomes of a pod, by the rules that judge it in the app. Nothing is asked of a cluster, nothing is made. */
export function explainPod({ pod, written, facts, resolved, assumedImages = [] }: Explained): Explanation {
  const inspection = inspectPod(pod, facts);
  const whole = inspectWhole(pod, facts, resolved);
  const translation = translatePod(pod, facts, resolved);
  const refusals = explainRefusals(
    [
      ...inspection.refusals,
      ...unusableImage(pod),
      ...lateRefusals(whole),
      ...(translation.kind === 'refused' ? [translation] : []),
      ...neverCreated(translation),
    ],
    pod,
  );
  const isRefused = refusals.length > 0;
  const notices = [
    ...(translation.kind === 'group' ? translation.notices : [...whole.inspection.notices, ...waiting(translation)]),
    ...assumption(assumedImages),
  ];
  const { agentGiven } = whole.inspection;
  const tier = tierOf(refusals, agentGiven);
  return {
    verdict: isRefused ? 'refused' : notices.length > 0 ? 'runs with notes' : 'runs',
    ...(tier && { tier }),
    ...(agentGiven.kind === 'agent' && { tierReason: agentGiven.reason }),
    refusals,
    notices,
    emulated: emulatedFields(written, agentGiven),
    ...sizes(pod),
    ...(translation.kind === 'group' && !isRefused && { body: translation.body }),
  };
}

function explainRefusals(refusals: readonly Refusal[], pod: Pod): readonly ExplainedRefusal[] {
  const seen = new Set<string>();
  return refusals.flatMap(({ reason, field, message, agent }) => {
    if (seen.has(field)) return [];
    seen.add(field);
    const known = refusedField(field, pod.rawSpec);
    return [
      {
        reason,
        field,
        why: message.replace(`${field}: `, ''),
        ...defined({ agent, wayOut: known?.wayOut }),
      },
    ];
  });
}

/** A pod whose image no pull can bring waits for another one; it is as good as refused. */
function unusableImage(pod: Pod): readonly Refusal[] {
  const trouble = imageTrouble(pod);
  if (trouble === undefined) return [];
  const { reason, message, container } = trouble;
  const index = pod.spec[container.member].findIndex(({ name }) => name === container.name);
  const field = `spec.${container.member}[${index}].image`;
  return [{ kind: 'refused', reason, field, message: `${field}: ${message}` }];
}

/** No event: the app does not assume, it asks. */
const imageAssumed = 'ImageAssumed';

const assumption = (images: readonly string[]): readonly Notice[] =>
  images.length === 0
    ? []
    : [
        {
          reason: imageAssumed,
          message: `${images.join(', ')}: not known here, and taken to have the entrypoint, user and directory that the pod counts on; the app asks the registry`,
        },
      ];

/** A pod that waits for as long as it and its image are as they are. */
const neverCreated = (translation: ReturnType<typeof translatePod>): readonly Refusal[] =>
  translation.kind === 'waiting' && translation.field !== undefined
    ? [{ kind: 'refused', reason: translation.reason, field: translation.field, message: translation.message }]
    : [];

/** A ConfigMap that is at hand and lacks a key: the pod would wait for it. What it waits for in vain is refused above. */
const waiting = (translation: ReturnType<typeof translatePod>): readonly Notice[] =>
  translation.kind === 'waiting' && translation.field === undefined
    ? [{ type: 'Warning', reason: translation.reason, message: translation.message }]
    : [];

/** What of the pod's fields is kept by other means, the agent's among them. */
function emulatedFields(written: JsonObject, agentGiven: AgentDecision): Explanation['emulated'] {
  const needed = new Set(agentGiven.kind === 'agent' ? agentGiven.needs.map(({ field }) => field) : []);
  return walkSpec(written).flatMap((finding) => {
    const { path, verdict, reason, agent } = finding;
    const isAgents =
      agent !== undefined && (needed.has(path) || (verdict !== 'emulated' && isGiven(finding, agentGiven)));
    if (isAgents) return [{ field: path, how: `by the agent: ${agent.how}` }];
    return verdict === 'emulated' && reason !== '' ? [{ field: path, how: reason }] : [];
  });
}

function tierOf(refusals: readonly ExplainedRefusal[], given: AgentDecision): Explanation['tier'] | undefined {
  if (refusals.length === 0) return given.kind === 'agent' ? given.tier : 'T0';
  if (refusals.some(({ agent }) => agent === undefined)) return undefined;
  return refusals.some(({ agent }) => agent === 'T2') ? 'T2' : 'T1';
}

function sizes(pod: Pod): Pick<Explanation, 'containers' | 'size'> {
  const { containers, flat, total } = allocate(pod);
  const first = firstFlat(pod);
  const sum = (read: (resources: GroupResources) => number, steps: number): number =>
    [...flat, ...containers].reduce((added, { requests }) => added + Math.round(read(requests) * steps), 0) / steps;
  return {
    containers: [
      ...pod.spec.initContainers.map((container, index) =>
        isSidecar(container)
          ? explained(container, flat[index - first]?.requests ?? toGroupResources(total), {
              isInit: true,
              isOwn: true,
            })
          : explained(container, toGroupResources(total), { isInit: true, isOwn: false }),
      ),
      ...pod.spec.containers.map((container, index) =>
        explained(container, containers[index]?.requests ?? toGroupResources(total), { isInit: false, isOwn: true }),
      ),
    ],
    size: { cpu: sum(({ cpu }) => cpu, 100), memoryInGB: sum(({ memoryInGB }) => memoryInGB, 10) },
  };
}

const explained = (
  { name, image, resources }: Container,
  granted: GroupResources,
  { isInit, isOwn }: { readonly isInit: boolean; readonly isOwn: boolean },
): ExplainedContainer => ({
  name,
  isInit,
  image,
  asked: {
    ...(resources.requests['cpu'] !== undefined && { cpu: resources.requests['cpu'] }),
    ...(resources.requests['memory'] !== undefined && { memory: resources.requests['memory'] }),
  },
  granted,
  rounded: !isOwn
    ? []
    : [
        ...(sameAs(resources.requests['cpu'], granted.cpu) ? [] : ['cpu' as const]),
        ...(sameAs(resources.requests['memory'], granted.memoryInGB * giga) ? [] : ['memory' as const]),
      ],
});

const giga = 1_000_000_000;

const sameAs = (quantity: string | undefined, amount: number): boolean =>
  quantity !== undefined && parseQuantity(quantity) === BigInt(Math.round(amount * 100)) * (oneUnit / 100n);
