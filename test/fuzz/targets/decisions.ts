import { parseGroup } from '../../../shared/wire/arm/group-answer.ts';
import { formatGroup } from '../../../shared/wire/arm/group-request.ts';
import { parsePod } from '../../../shared/wire/pod.ts';
import type { GroupObservation } from '../../../shared/core/group/group.ts';
import { groupName, groupTags } from '../../../shared/core/group/identity.ts';
import type { Pod, PodStatus } from '../../../shared/core/kubernetes/pod.ts';
import { buildPodStatusPatch } from '../../../shared/core/kubernetes/status-patch.ts';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { listReferences } from '../../../shared/core/pod/references.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import { decide } from '../../../shared/core/reconcile/decide.ts';
import type { Observed } from '../../../shared/core/reconcile/observed.ts';
import type { PodRow } from '../../../shared/core/reconcile/pod-row.ts';
import { seenKey, workNeeded } from '../../../shared/core/reconcile/work-needed.ts';
import { pendingStatus } from '../../../shared/core/status/pending-status.ts';
import {
  deletedStatus,
  lostStatus,
  podStatusFromGroup,
  provisioningFault,
} from '../../../shared/core/status/status.ts';
import { formatRow, parsePodRow } from '../../../shared/wire/rows.ts';
import { configMap, facts, resolved, secret } from '../../core/pod/fixtures.ts';
import { makePod, makeRow, noon } from '../../fixtures/pods.ts';
import type { Dice } from '../dice.ts';
import { Secrets } from '../secrets.ts';
import type { Case, CaseReport, Target } from '../target.ts';
import { recordedGroup } from './arm-answers.ts';
import { podDocument } from './kubernetes-documents.ts';

/** Pods and groups that were still readable, into all that is decided from them: nothing throws, no value leaks, no number is NaN. */
export const decisions: Target = {
  name: 'decisions',
  share: 'answers',
  cases: 4_000,
  testCases: 250,
  open: async () => ({ run: playDecisions }),
};

async function playDecisions(one: Case): Promise<CaseReport> {
  const { dice, mutator } = one;
  const secrets = new Secrets();
  const texts = {
    pod: mutator.json('pod', livePod(dice, secrets), dice.pick([0, 1, 2])).toString('utf8'),
    group: mutator.json('group', recordedGroup, dice.pick([0, 1, 2])).toString('utf8'),
  };
  one.show = () => secrets.mask(`${texts.pod}\n${texts.group}`);
  const [pod, group] = [parsePod(jsonOf(texts.pod)), parseGroup(jsonOf(texts.group))];
  if (pod === undefined || group === undefined)
    return { outcome: pod === undefined ? 'no pod' : 'no group', faults: [] };
  const said = [...translated(pod, secrets), ...statuses(pod, group), ...decided(pod, group, dice)];
  const faults = said.flatMap(({ what, value }) => [
    // A literal value may have been copied to where it is a name.
    ...secrets.findIn(what, JSON.stringify([value])).filter((sentence) => !sentence.endsWith('literal')),
    ...(isReal(value) ? [] : [`${what} holds a number that is none`]),
  ]);
  return { outcome: 'decided', faults };
}

interface Said {
  readonly what: string;
  readonly value: unknown;
}

function livePod(dice: Dice, secrets: Secrets): object {
  const pod = podDocument('p', secrets);
  const metadata: unknown = Reflect.get(pod, 'metadata');
  const living = { ...(metadata as object), deletionTimestamp: undefined, deletionGracePeriodSeconds: undefined };
  const pending = { phase: 'Pending', qosClass: 'Burstable', conditions: [] };
  const isLiving = dice.chance(0.8);
  return {
    ...pod,
    ...(isLiving ? { metadata: living } : {}),
    ...(dice.chance(0.4) ? { status: pending } : {}),
  };
}

function translated(pod: Pod, secrets: Secrets): readonly Said[] {
  const inspection = inspectPod(pod, facts);
  const references = listReferences(pod, facts);
  const docker = { auths: { 'registry.example': { username: 'u', password: secrets.plant('pull', '') } } };
  const translation = translatePod(
    pod,
    facts,
    resolved({
      configMaps: { c: configMap({ k: 'v' }) },
      secrets: {
        s: secret({ k: secrets.plant('secret data', '') }),
        pull: secret({ '.dockerconfigjson': JSON.stringify(docker) }, 'kubernetes.io/dockerconfigjson'),
      },
      tokens: references.tokens.map((_, index) => ({
        value: secrets.plant('token', String(index)),
        lifetimeSeconds: 86_400,
      })),
    }),
  );
  if (translation.kind !== 'group') return [{ what: 'a refusal', value: { inspection, translation } }];
  const { body, notices } = translation;
  const text = JSON.stringify(formatGroup(body));
  const shown = [...body.containers, ...body.initContainers].map((container) => ({
    ...container,
    environmentVariables: container.environmentVariables.map(({ name, value }) => ({
      name,
      value: name === 'PLAIN' ? '' : value,
    })),
  }));
  return [
    { what: 'a notice', value: { inspection, notices } },
    { what: 'the tags', value: body.tags },
    { what: 'what ARM shows of the group', value: shown },
    { what: 'the size of the body', value: text.length },
    { what: 'the name', value: groupName({ installation: 'sk', ...pod.metadata }) },
  ];
}

function statuses(pod: Pod, group: GroupObservation): readonly Said[] {
  const input = { pod, group, hostIP: '10.0.0.7', now: noon };
  const all: readonly PodStatus[] = [
    podStatusFromGroup(input),
    pendingStatus({ ...input, reason: 'ContainerCreating' }),
    deletedStatus(input),
    lostStatus(input),
  ];
  return [
    ...all.map((status) => ({ what: 'a status', value: buildPodStatusPatch(pod, status) })),
    { what: 'a fault of provisioning', value: provisioningFault(group, []) },
    { what: 'what was seen', value: [seenKey(pod), workNeeded(pod, makeRow(makePod()), noon)] },
  ];
}

const intents: readonly PodRow['intent'][] = [
  { kind: 'none' },
  { kind: 'open', at: noon - 90_000 },
  { kind: 'accepted', at: noon - 90_000 },
  { kind: 'refused', at: noon - 90_000 },
  { kind: 'deleted', at: noon - 90_000 },
];

function decided(pod: Pod, group: GroupObservation, dice: Dice): readonly Said[] {
  const { namespace, name, uid } = pod.metadata;
  const row = makeRow(makePod(), { namespace, name, uid, intent: dice.pick(intents) });
  const observed: Observed = {
    now: noon,
    at: noon,
    pod,
    row,
    sight: dice.pick([{ kind: 'absent' }, { kind: 'foreign' }, { kind: 'seen', group }, { kind: 'seen', group }]),
    references: undefined,
    capacity: undefined,
    clusterUid: undefined,
    outcome: undefined,
    statusConflicts: 0,
    lastPut: undefined,
    correcting: undefined,
    facts,
    policy: {
      bornAt: 0,
      nodeState: 'active',
      endingPods: 1,
      earliestStartMs: undefined,
      capacityFailAfterMs: 0,
      random: 0.5,
    },
  };
  const decision = decide(observed);
  const written = { ...row, ...decision.row };
  const read = parsePodRow(formatRow(written));
  return [
    { what: 'a decision', value: decision },
    { what: 'a row', value: written },
    { what: 'a row read again', value: read.kind === 'row' ? 0 : Number.NaN },
    {
      what: 'the tags of an owner',
      value: groupTags({ installation: 'sk', cluster: 'c', node: 'n', namespace, name, uid }, 'h'),
    },
  ];
}

function isReal(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'object' && value !== null ? Object.values(value).every(isReal) : true;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
