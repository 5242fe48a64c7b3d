import { decideAgent, nothingLate } from '../agent/decision.ts';
import type { LateKnowledge } from '../agent/decision.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { placed } from './annotations/placed.ts';
import { wishesOf } from './annotations/read-wishes.ts';
import { agentRule } from './rules/agent.ts';
import { annotationsRule } from './rules/annotations.ts';
import { containerCountRule, containerNamesRule, environmentSourcesRule } from './rules/containers.ts';
import { dnsRule } from './rules/dns.ts';
import { fieldsRule } from './rules/fields.ts';
import { portsRule } from './rules/ports.ts';
import { probePortsRule } from './rules/probes.ts';
import { groupSizeRule, groupStorageRule, limitsRule, quantitiesRule } from './rules/resources.ts';
import { isRefusal } from './rules/rule.ts';
import type { Rule } from './rules/rule.ts';
import { mountsRule, volumeCountRule, volumeSourcesRule } from './rules/volumes.ts';
import { workloadIdentityRule } from './rules/workload-identity.ts';
import type { Inspection, InspectionFacts, Refusal } from './translation.ts';

/** In the order in which they are reported, after fields and annotations. */
const rules: readonly Rule[] = [
  workloadIdentityRule,
  containerCountRule,
  containerNamesRule,
  agentRule,
  environmentSourcesRule,
  probePortsRule,
  volumeSourcesRule,
  volumeCountRule,
  mountsRule,
  portsRule,
  dnsRule,
  quantitiesRule,
  groupSizeRule,
  groupStorageRule,
  limitsRule,
];

const othersNamed = 5;

/** The first refusal speaks; the others are named, so that nobody has to fix a pod field by field. */
function summarize(refusals: readonly Refusal[]): Refusal | undefined {
  const [first] = refusals;
  if (first === undefined) return undefined;
  const others = refusals.slice(1).map(({ field }) => field);
  if (others.length === 0) return first;
  const more = others.length > othersNamed ? ` and ${others.length - othersNamed} more` : '';
  return { ...first, message: `${first.message}; refused too: ${others.slice(0, othersNamed).join(', ')}${more}` };
}

/** Two rules may refuse a field; what the first says is. */
function oncePerField(refusals: readonly Refusal[]): readonly Refusal[] {
  const seen = new Set<string>();
  return refusals.filter(({ field }) => !seen.has(field) && seen.add(field));
}

/**
 * Judges a spec by itself, before anything it refers to is read. A refusal is for ever: ACI can never run the pod as it
 * is. Notices are for a pod that runs. Annotations and each field of `rawSpec` are checked (rule 8 of docs/architecture.md).
 * `late`: what else is known by now of what it needs the agent for.
 */
export function inspectPod(pod: Pod, facts: InspectionFacts, late: LateKnowledge = nothingLate): Inspection {
  const own = placed(facts, wishesOf(pod.metadata.annotations));
  const agentGiven = decideAgent(pod, own, late);
  const place = { ...own, agentGiven };
  // Whether an annotation changes the place is judged by the node's own.
  const said = [
    ...fieldsRule(pod, place),
    ...annotationsRule(pod, { ...facts, agentGiven }),
    ...rules.flatMap((rule) => rule(pod, place)),
  ];
  const refusals = oncePerField(said.filter(isRefusal));
  return { refusal: summarize(refusals), refusals, notices: said.filter((one) => !isRefusal(one)), agentGiven };
}
