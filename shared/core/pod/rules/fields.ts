import { isGiven } from '../../agent/given.ts';
import { strictly } from '../../agent/needs/field-needs.ts';
import { refuseNeed } from '../../agent/refuse-need.ts';
import { walkSpec } from '../field-walk.ts';
import type { Finding } from '../field-walk.ts';
import { refuse } from '../evaluation.ts';
import type { Notice, Refusal } from '../translation.ts';
import type { Rule, RuleFacts } from './rule.ts';

/** Refused, unless the agent gives it. */
function refusal({ path, reason, refusalReason }: Finding, { agentGiven }: RuleFacts): readonly Refusal[] {
  const obstacle = agentGiven.obstacles.find(({ field }) => field === path);
  if (obstacle !== undefined) return [refuse(path, obstacle.why, refusalReason)];
  const need = agentGiven.needs.find(({ field, strength }) => field === path && strength === 'needs');
  if (need === undefined) return [refuse(path, reason, refusalReason)];
  return agentGiven.kind === 'none' && agentGiven.stance.kind === 'absent' ? [refuseNeed(need, agentGiven.stance)] : [];
}

function hardeningNotice(findings: readonly Finding[]): readonly Notice[] {
  const paths = findings.map(({ path }) => path);
  if (paths.length === 0) return [];
  const message = `${paths.join(', ')}: not set inside the containers; the pod has a virtual machine of its own, which isolates it instead (SECURITY_POLICY=strict refuses this)`;
  return [{ reason: 'MetByIsolation', message }];
}

function notedNotice(findings: readonly Pick<Finding, 'path' | 'reason'>[]): readonly Notice[] {
  const reasons = new Set(findings.map(({ reason }) => reason));
  const sentences = [...reasons].map((reason) => {
    const paths = findings.filter((finding) => finding.reason === reason).map(({ path }) => path);
    return `${paths.join(', ')}: ${reason}`;
  });
  return sentences.length === 0 ? [] : [{ reason: 'FieldWithoutEffect', message: sentences.join('; ') }];
}

/** What the agent gives is not noted but for what it can't give of it. */
function noted(finding: Finding, { agentGiven }: RuleFacts): readonly Pick<Finding, 'path' | 'reason'>[] {
  if (!isGiven(finding, agentGiven)) return [finding];
  const rest = finding.agent?.rest;
  return rest === undefined ? [] : [{ path: finding.path, reason: rest }];
}

/** The compatibility table, over all that the spec holds (rule 8 of docs/architecture.md). */
export const fieldsRule: Rule = (pod, facts) => {
  const findings = walkSpec(pod.rawSpec);
  const of = (verdict: Finding['verdict']): readonly Finding[] =>
    findings.filter((finding) => finding.verdict === verdict);
  const met = of('met').filter((finding) => !isGiven(finding, facts.agentGiven));
  const hardening =
    facts.securityPolicy === 'strict'
      ? met.flatMap((finding) => refusal({ ...finding, reason: strictly }, facts))
      : hardeningNotice(met);
  return [
    ...of('refused').flatMap((finding) => refusal(finding, facts)),
    ...hardening,
    ...notedNotice(of('noted').flatMap((finding) => noted(finding, facts))),
  ];
};
