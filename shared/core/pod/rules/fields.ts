import { walkSpec } from '../field-walk.ts';
import type { Finding } from '../field-walk.ts';
import { refuse } from '../evaluation.ts';
import type { Notice } from '../translation.ts';
import type { Rule } from './rule.ts';

const refusals = (findings: readonly Finding[]) =>
  findings
    .filter(({ verdict }) => verdict === 'refused')
    .map(({ path, reason, refusalReason }) => refuse(path, reason, refusalReason));

function hardeningNotice(findings: readonly Finding[]): readonly Notice[] {
  const paths = findings.map(({ path }) => path);
  if (paths.length === 0) return [];
  const message = `${paths.join(', ')}: not set inside the containers; the pod has a virtual machine of its own, which isolates it instead (SECURITY_POLICY=strict refuses this)`;
  return [{ reason: 'MetByIsolation', message }];
}

function notedNotice(findings: readonly Finding[]): readonly Notice[] {
  const sentences = findings.map(({ path, reason }) => `${path}: ${reason}`);
  return sentences.length === 0 ? [] : [{ reason: 'FieldWithoutEffect', message: sentences.join('; ') }];
}

/** The compatibility table, over all that the spec holds (rule 8 of docs/architecture.md). */
export const fieldsRule: Rule = (pod, { securityPolicy }) => {
  const findings = walkSpec(pod.rawSpec);
  const met = findings.filter(({ verdict }) => verdict === 'met');
  const hardening =
    securityPolicy === 'strict'
      ? met.map(({ path }) => refuse(path, 'ACI can not set it inside the containers, and SECURITY_POLICY is strict'))
      : hardeningNotice(met);
  return [...refusals(findings), ...hardening, ...notedNotice(findings.filter(({ verdict }) => verdict === 'noted'))];
};
