import { failed, good, skipped, warned } from '../check.ts';
import type { Check } from '../check.ts';
import { valueOf } from '../observed.ts';
import { failedOnlyIn, hopText, isOk, resolversOf } from './hops.ts';
import type { Judged } from './hops.ts';

const isName = (hop: string): boolean => hop.endsWith('-name');

const nothingTried = 'No hop was tried: the images lack the tools.';

const wasNothingTried = ({ reports }: Judged): boolean =>
  [reports.musl, reports.glibc].every((report) =>
    [...(valueOf(report)?.hops.values() ?? [])].every(({ verdict }) => verdict === 'skipped'),
  );

/** Whether both resolvers come to the same. */
export function judgeDifference(judged: Judged): Check {
  const { reports, facts, of } = judged;
  const name = of('musl and glibc');
  for (const report of [reports.musl, reports.glibc])
    if (report.kind === 'unreadable') return skipped(name, report.reason);
  if (wasNothingTried(judged)) return skipped(name, nothingTried);
  const onlyMusl = failedOnlyIn(reports.musl, reports.glibc);
  const onlyGlibc = failedOnlyIn(reports.glibc, reports.musl);
  const lost = [...onlyMusl, ...onlyGlibc];
  if (lost.length === 0) return good(name, 'Both images come to the same.');
  const texts = lost.map((hop) => hopText(hop, facts)).join(', ');
  const who = onlyMusl.length > 0 ? 'an image of musl' : 'an image of glibc';
  const servers = resolversOf(judged);
  const sentence = `Not in ${who}, but in the other one: ${texts}`;
  if (lost.some(isName) && servers.length > 1)
    return failed(
      name,
      `${sentence}; the pod has the name servers ${servers.join(', ')}, and musl takes the first answer of any.`,
      'Name only servers that know the same names: attach again with --dns, and take others out of the dnsConfig of pods. A pod with Azure Files has two: there an image of glibc helps.',
    );
  return warned(name, `${sentence}.`, 'They share one network: it comes and goes. Run it again.');
}

/** Whether what the containers reach is reached in the init phase too. */
export function judgeInitPhase(judged: Judged): Check {
  const { reports, facts, of } = judged;
  const name = of('init phase');
  if (reports.init.kind === 'unreadable') return skipped(name, reports.init.reason);
  if (wasNothingTried(judged)) return skipped(name, nothingTried);
  const late = [...reports.init.value.hops]
    .filter(([hop, { verdict }]) => verdict === 'failed' && isOk(judged, hop))
    .map(([hop]) => hop);
  if (late.length === 0) return good(name, 'Init containers reach what containers reach.');
  const texts = late.map((hop) => hopText(hop, facts)).join(', ');
  const viaServices = facts.services !== undefined;
  return warned(
    name,
    `Not in init containers, but later: ${texts}.`,
    viaServices
      ? "ACI's kube-proxy starts after them: an init container that waits for a Service waits for ever, and one that asks for a name fails. Let the container itself wait, or attach again with a --dns that is no ClusterIP."
      : 'The network of the group comes after them: let an init container try again, or the container itself wait.',
  );
}
