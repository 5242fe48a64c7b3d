import type { CliContext } from '../context.ts';
import type { ReachPlan } from '../cluster/reach-of-pods.ts';
import { describeReach } from '../cluster/reach-text.ts';

/** How pods reach the cluster, and what there is to say of it. */
export function reportReach({ out }: CliContext, plan: ReachPlan): void {
  out.line(describeReach(plan));
  for (const remark of plan.remarks) out.line(remark);
}

/** What would become of the Secrets, in sentences; where something else installs the chart, its remarks say so. */
export const describeSecrets = ({ credentials: { removed, renewed } }: ReachPlan): readonly string[] => [
  ...(renewed === undefined ? [] : [`Services: would make the Secret ${renewed} anew`]),
  ...removed.map((name) => `Services: would remove the Secret ${name}, of which no group has the token`),
];

/** Members of the output: as the registration is to have them. */
export const reachMembers = ({ dns, services, remarks }: ReachPlan) => ({
  dns: dns ?? null,
  services: services ?? null,
  remarks,
});
