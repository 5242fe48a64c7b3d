import { skipped } from '../check.ts';
import type { Check } from '../check.ts';
import { valueOf } from '../observed.ts';
import type { Part } from '../observed.ts';
import type { ReachFacts, ReachReports } from './facts.ts';
import type { Hop, ReachReport } from './report.ts';

/** All that the judgements look at. */
export interface Judged {
  readonly reports: ReachReports;
  readonly facts: ReachFacts;
  /** The name of a check. */
  readonly of: (check: string) => string;
}

const hopOf = (report: Part<ReachReport>, name: string): Hop | undefined => valueOf(report)?.hops.get(name);

/** The hop as the containers took it. What one of them could is a way that is there: that they differ is a check of its own. */
export function hop({ reports }: Judged, name: string): Hop {
  const both = [hopOf(reports.musl, name), hopOf(reports.glibc, name)].filter((one) => one !== undefined);
  return (
    both.find(({ verdict }) => verdict === 'ok') ??
    both.find(({ verdict }) => verdict === 'failed') ??
    both[0] ?? { verdict: 'skipped', detail: 'no container reported it' }
  );
}

export const isOk = (judged: Judged, name: string): boolean => hop(judged, name).verdict === 'ok';
export const isFailed = (judged: Judged, name: string): boolean => hop(judged, name).verdict === 'failed';

/** The check of a hop that no container tried. */
export const untried = (name: string, { detail }: Hop): Check => skipped(name, `It was not tried: ${detail}.`);

/** A check, and whether it was skipped because something else that it needs is broken. */
export interface Judgement extends Check {
  readonly follows?: true;
}

/** A hop that fails because another one does. */
export const follows = (name: string, sentence: string, what: string): Judgement => ({
  ...skipped(name, `${sentence}. It needs ${what}.`),
  follows: true,
});

/** Whether what is built on it can't work. */
export const isBroken = ({ verdict, follows: isFollowing }: Judgement): boolean =>
  verdict === 'failed' || isFollowing === true;

/** Name servers of the containers' resolv.conf. */
export const resolversOf = ({ reports }: Judged): readonly string[] => [
  ...new Set([reports.musl, reports.glibc].flatMap((report) => valueOf(report)?.resolvers ?? [])),
];

/** Hops that failed in one report and were fine in the other. */
export function failedOnlyIn(one: Part<ReachReport>, other: Part<ReachReport>): readonly string[] {
  const hops = valueOf(one)?.hops ?? new Map<string, Hop>();
  return [...hops]
    .filter(([name, { verdict }]) => verdict === 'failed' && hopOf(other, name)?.verdict === 'ok')
    .map(([name]) => name);
}

/** A hop's name in a sentence. */
export function hopText(name: string, { outside, service, pod }: ReachFacts): string {
  if (name.startsWith('server/')) return `the name server ${name.slice('server/'.length)}`;
  const texts: Readonly<Record<string, string>> = {
    'cluster-name': 'names of the cluster',
    'outside-name': `the name ${outside}`,
    'api-name': "the API server's name",
    api: 'the API server',
    service: `the ClusterIP ${service ?? ''}`,
    pod: `the pod ${pod ?? ''}`,
    outside: `${outside}:443`,
  };
  return texts[name] ?? name;
}
