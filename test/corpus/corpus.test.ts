import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { explainPod } from '../../shared/core/pod/explanation.ts';
import type { Explanation } from '../../shared/core/pod/explanation.ts';
import { placeholderReferences } from '../../shared/core/pod/placeholders.ts';
import type { NodeFacts } from '../../shared/core/pod/translation.ts';
import { agent, facts, subnetId } from '../core/pod/fixtures.ts';
import { golden } from '../fixtures/golden.ts';
import { features, share } from './frequencies.ts';
import { folder, readCorpus, readImages } from './read-corpus.ts';
import type { CorpusPod } from './read-corpus.ts';

const pods = readCorpus();
const images = readImages();

/** As after `attach` with a network. */
const node = { ...facts, subnetId };

const known = {
  configMaps: new Map(),
  images: (image: string) => {
    const config = images[image];
    return config === undefined ? undefined : { ...config, env: {} };
  },
};

const explainAll = (facts: NodeFacts): ReadonlyMap<string, Explanation> =>
  new Map(
    pods.map(({ key, pod, written }) => [
      key,
      explainPod({ pod, written, facts, resolved: placeholderReferences(pod, facts, known) }),
    ]),
  );

const explained = explainAll(node);
/** After `agent publish`, too. */
const withAgent = explainAll({ ...node, agent });

const forecast = z.strictObject({
  crosses: z.boolean(),
  /** `field: tier, reason`, or `field: reason` where no tier gives it. */
  refused: z.array(z.string()).min(1).exactOptional(),
});
/** What each pod's verdict is to be: without the agent, with what the images say; and with the agent. */
const expected = z
  .record(z.string(), z.strictObject({ t0: forecast, agent: forecast }))
  .parse(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')));

const keys = pods.map(({ key }) => key);
const crossesToday = (key: string): boolean => explained.get(key)?.verdict !== 'refused';
const of = (key: string) => expected[key] ?? { t0: { crosses: false }, agent: { crosses: false } };
const percent = (count: number): string => `${count} (${Math.round((count / pods.length) * 100)} %)`;
const fieldOf = (sentence: string): string => sentence.slice(0, sentence.indexOf(': '));

describe('the corpus', () => {
  it('is large, and each pod says whose facts it has', () => {
    expect(pods.length).toBeGreaterThanOrEqual(120);
    expect(pods.filter((pod) => pod.facts === '')).toEqual([]);
  });

  it('knows the image of each container, and no other', () => {
    const named = pods.flatMap(({ pod: { spec } }) =>
      [...spec.initContainers, ...spec.containers].map(({ image }) => image),
    );
    expect([...new Set(named)].toSorted()).toEqual(Object.keys(images).toSorted());
  });

  it.each([
    ['probes', 81],
    ['runAsNonRoot', 79],
    ['runAsUser', 74],
    ['fsGroup', 73],
    ['args alone', 28],
    ['subPath', 45],
    ['PVC', 20],
    ['workingDir', 4],
  ])('has %s on %i %% of the pods of charts, as 304 pods of public charts have them', (name, target) => {
    const charts = pods.filter(({ group }) => group === 'charts');
    const feature = features[name] ?? (() => false);
    expect(Math.abs(share(charts, feature) - target)).toBeLessThanOrEqual(3);
  });

  it('has workingDir on about 13 % of the pods of CI and batch systems', () => {
    const jobs = pods.filter(({ group }) => group === 'jobs');
    expect(Math.abs(share(jobs, features['workingDir'] ?? (() => false)) - 13)).toBeLessThanOrEqual(3);
  });
});

const today = ({ key }: CorpusPod): string => {
  const { verdict, tier, refusals, notices } = explained.get(key) ?? { verdict: '', refusals: [], notices: [] };
  const refused = refusals.map(({ field }) => field);
  const value =
    verdict === 'refused' ? { verdict, tier, refused } : { verdict, notes: notices.map(({ reason }) => reason) };
  return `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`;
};

function ofAgent({ key }: CorpusPod): string {
  const { verdict, tier, tierReason, refusals } = withAgent.get(key) ?? { verdict: '', refusals: [] };
  const refused = refusals.map(({ field }) => field);
  return `  ${JSON.stringify(key)}: ${JSON.stringify(verdict === 'refused' ? { verdict, refused } : { tier, tierReason })}`;
}

describe('the verdicts', () => {
  it('are those of the golden file', () => {
    const text = `{\n${pods.map(today).join(',\n')}\n}\n`;
    expect(golden(join(folder, 'today.json'), text)).toBe(text);
  });

  it('with the agent are those of the golden file', () => {
    const text = `{\n${pods.map(ofAgent).join(',\n')}\n}\n`;
    expect(golden(join(folder, 'agent.json'), text)).toBe(text);
  });

  it('of today and of later are known for each pod, and only get better', () => {
    expect(Object.keys(expected)).toEqual(keys);
    expect(keys.filter((key) => crossesToday(key) && !of(key).t0.crosses)).toEqual([]);
    expect(keys.filter((key) => of(key).t0.crosses && !of(key).agent.crosses)).toEqual([]);
  });

  it('of later have a reason where a pod does not cross', () => {
    const unsaid = Object.values(expected)
      .flatMap(({ t0, agent }) => [t0, agent])
      .filter(({ crosses, refused }) => crosses !== (refused === undefined));
    expect(unsaid).toEqual([]);
  });

  it('leave to the agent what is the agent’s: what waits for it is refused with its tier', () => {
    const strange = keys.flatMap((key) =>
      (of(key).t0.refused ?? [])
        .filter((sentence) => / T[12], /.test(sentence))
        // The agent sets the user; that it is not root follows.
        .filter((sentence) => !fieldOf(sentence).endsWith('.runAsNonRoot'))
        .flatMap((sentence) => {
          const refusal = explained.get(key)?.refusals.find(({ field }) => field === fieldOf(sentence));
          return refusal === undefined || sentence.includes(`: ${refusal.agent}, `) ? [] : [`${key} ${sentence}`];
        }),
    );
    expect(strange).toEqual([]);
  });

  it('are counted', () => {
    const now = keys.filter(crossesToday).length;
    const later = keys.filter((key) => of(key).t0.crosses).length;
    const last = keys.filter((key) => of(key).agent.crosses).length;
    console.log(
      `corpus: of ${pods.length} pods ${percent(now)} cross; ${percent(later)} are to without the agent, ${percent(last)} with it`,
    );
    expect(now).toBeLessThanOrEqual(later);
  });

  it('with the agent are those that were written down before it was there', () => {
    const crosses = (key: string): boolean => withAgent.get(key)?.verdict !== 'refused';
    expect(keys.filter((key) => crosses(key) !== of(key).agent.crosses)).toEqual([]);
  });

  it('are counted with the agent: 95 % of the pods cross that ask for no host and no device', () => {
    const refused = (key: string): readonly string[] => withAgent.get(key)?.refusals.map(({ field }) => field) ?? [];
    const asksForHost = (field: string): boolean =>
      /\.(hostPath|hostNetwork|hostPID|privileged)$|\.resources\.(limits|requests)\b/.test(field);
    const asksForUser = (field: string): boolean => /\.runAs(User|Group|NonRoot)$/.test(field);
    const all = keys.map(refused);
    const crossing = all.filter((fields) => fields.length === 0).length;
    const ofHost = all.filter((fields) => fields.some(asksForHost)).length;
    const ofUser = all.filter((fields) => fields.length > 0 && fields.every(asksForUser)).length;
    const asked = pods.length - ofHost;
    const tiers = ['T0', 'T1', 'T2'].map((tier) => {
      const count = keys.filter((key) => refused(key).length === 0 && withAgent.get(key)?.tier === tier).length;
      return `${tier} ${count}`;
    });
    console.log(
      `corpus with the agent: ${percent(crossing)} cross (${tiers.join(', ')}); ${ofHost} ask for a host or a device; of the other ${asked} cross ${((crossing / asked) * 100).toFixed(1)} %, and ${ofUser} want another user than an image's that is not root: without these ${((crossing / (asked - ofUser)) * 100).toFixed(1)} %`,
    );
    expect(crossing / (asked - ofUser)).toBeGreaterThanOrEqual(0.95);
  });
});
