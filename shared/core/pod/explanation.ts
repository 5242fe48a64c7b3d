import type { GroupBody, GroupResources } from '../group/group.ts';
import type { JsonObject } from '../json.ts';
import type { Container, Pod } from '../kubernetes/pod.ts';
import { walkSpec } from './field-walk.ts';
import { imageTrouble } from './image-trouble.ts';
import { inspectPod } from './inspect.ts';
import { refusedField } from './refused-fields.ts';
import type { AgentTier } from './refused-fields.ts';
import { oneUnit, parseQuantity } from '../quantity/quantity.ts';
import { allocate, toGroupResources } from './resources.ts';
import { lateRefusals, translatePod } from './translate.ts';
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
   * `T0`: nothing is added to the pod, of what is refused nothing waits for the agent. `T1`, `T2`: all that is refused would
   * be given by the agent. Absent: something is refused that no tier gives.
   */
  readonly tier?: 'T0' | AgentTier;
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
  const translation = translatePod(pod, facts, resolved);
  const refusals = explainRefusals(
    [
      ...inspection.refusals,
      ...unusableImage(pod),
      ...lateRefusals(pod, facts, resolved),
      ...(translation.kind === 'refused' ? [translation] : []),
      ...neverCreated(translation),
    ],
    pod,
  );
  const isRefused = refusals.length > 0;
  const notices = [
    ...(translation.kind === 'group' ? translation.notices : [...inspection.notices, ...waiting(translation)]),
    ...assumption(assumedImages),
  ];
  const tier = tierOf(refusals);
  return {
    verdict: isRefused ? 'refused' : notices.length > 0 ? 'runs with notes' : 'runs',
    ...(tier && { tier }),
    refusals,
    notices,
    emulated: walkSpec(written)
      .filter(({ verdict, reason }) => verdict === 'emulated' && reason !== '')
      .map(({ path, reason }) => ({ field: path, how: reason })),
    ...sizes(pod),
    ...(translation.kind === 'group' && !isRefused && { body: translation.body }),
  };
}

function explainRefusals(refusals: readonly Refusal[], pod: Pod): readonly ExplainedRefusal[] {
  const seen = new Set<string>();
  return refusals.flatMap(({ reason, field, message, isFinal }) => {
    if (seen.has(field)) return [];
    seen.add(field);
    const known = refusedField(field, pod.rawSpec);
    return [
      {
        reason,
        field,
        why: message.replace(`${field}: `, ''),
        ...(known?.agent && isFinal !== true && { agent: known.agent }),
        ...(known && { wayOut: known.wayOut }),
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

function tierOf(refusals: readonly ExplainedRefusal[]): Explanation['tier'] | undefined {
  if (refusals.length === 0) return 'T0';
  if (refusals.some(({ agent }) => agent === undefined)) return undefined;
  return refusals.some(({ agent }) => agent === 'T2') ? 'T2' : 'T1';
}

function sizes(pod: Pod): Pick<Explanation, 'containers' | 'size'> {
  const { containers, total } = allocate(pod);
  const sum = (read: (resources: GroupResources) => number, steps: number): number =>
    containers.reduce((added, { requests }) => added + Math.round(read(requests) * steps), 0) / steps;
  return {
    containers: [
      ...pod.spec.initContainers.map((container) => explained(container, toGroupResources(total), true)),
      ...pod.spec.containers.map((container, index) =>
        explained(container, containers[index]?.requests ?? toGroupResources(total), false),
      ),
    ],
    size: { cpu: sum(({ cpu }) => cpu, 100), memoryInGB: sum(({ memoryInGB }) => memoryInGB, 10) },
  };
}

const explained = (
  { name, image, resources }: Container,
  granted: GroupResources,
  isInit: boolean,
): ExplainedContainer => ({
  name,
  isInit,
  image,
  asked: {
    ...(resources.requests['cpu'] !== undefined && { cpu: resources.requests['cpu'] }),
    ...(resources.requests['memory'] !== undefined && { memory: resources.requests['memory'] }),
  },
  granted,
  rounded: isInit
    ? []
    : [
        ...(sameAs(resources.requests['cpu'], granted.cpu) ? [] : ['cpu' as const]),
        ...(sameAs(resources.requests['memory'], granted.memoryInGB * giga) ? [] : ['memory' as const]),
      ],
});

const giga = 1_000_000_000;

const sameAs = (quantity: string | undefined, amount: number): boolean =>
  quantity !== undefined && parseQuantity(quantity) === BigInt(Math.round(amount * 100)) * (oneUnit / 100n);
