import { describe, expect, it } from 'vitest';
import { tierTags } from '../../../shared/core/agent/tier-tags.ts';
import type { GroupObservation } from '../../../shared/core/group/group.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { decide, needsPoll, rules } from '../../../shared/core/reconcile/decide.ts';
import { golden } from '../../fixtures/golden.ts';
import { container, makeGroup, makePod, makeRow, noon, running, terminated } from '../../fixtures/pods.ts';
import { facts } from '../pod/fixtures.ts';
import { drainStories } from './drain-stories.ts';
import { lifeStories } from './life-stories.ts';
import { logStories } from './log-stories.ts';
import { outcomeStories } from './outcome-stories.ts';
import { accepted, deleting, observedIn, ranOnce, seen, rendered } from './rendered.ts';

const stories = [...lifeStories, ...drainStories, ...logStories, ...outcomeStories];
const file = new URL('../../golden/decisions.json', import.meta.url);

describe('decide', () => {
  it.each(stories)('$it', (story) => expect(rendered(story)).toBe(story.says));

  it('decides each of them as a whole as before: effects, row, times and sentences', () => {
    const decisions = Object.fromEntries(stories.map((story) => [story.it, decide(observedIn(story))]));
    // What is set to undefined is cleared in the row, which JSON would not show.
    const text = `${JSON.stringify(decisions, (_, value: unknown) => value ?? null, 2)}\n`;
    expect(golden(file, text)).toBe(text);
  });

  it('has a story for each of its rules, in which that rule decides', () => {
    const reasons = new Set(stories.map(({ says }) => says.slice(0, says.indexOf(':'))));
    const unreported = rules.map(({ reason }) => reason).filter((reason) => !reasons.has(reason));
    expect([...new Set(unreported)]).toEqual([]);
  });

  it('harvests a container that ended by itself before stop erases it', () => {
    const [main] = makePod().spec.containers;
    const containers = main === undefined ? [] : [main, { ...main, name: 'other' }];
    const pod = makePod({ metadata: deleting, spec: { containers }, status: ranOnce.status });
    const group = makeGroup('Running', running(1), {
      initContainers: [{ name: 'sk-install', image: 'agent', instanceView: running(1) }],
      containers: [
        { name: 'main', image: 'busybox:1.36', instanceView: terminated(7) },
        { name: 'other', image: 'busybox:1.36', instanceView: running(1) },
      ],
    });
    const decision = decide(observedIn({ pod, row: accepted, sight: seen(group) }));
    expect(decision.effects.map((effect) => effect.kind)).toEqual(['patch-status', 'create-event', 'stop-group']);
    expect(decision.effects[1]).toMatchObject({
      reason: 'Killing',
      container: { member: 'containers', name: 'other' },
    });
    const [first] = decision.effects;
    expect(
      first?.kind === 'patch-status' && first.status.containerStatuses.find((status) => status.name === 'main')?.state,
    ).toMatchObject({ kind: 'terminated', exitCode: 7 });
  });

  it('says that a running group keeps the image that it was made with, and shows that one in the status', () => {
    const [main] = makePod().spec.containers;
    const containers = main === undefined ? [] : [{ ...main, image: 'busybox:2' }];
    const pod = makePod({ spec: { containers }, status: ranOnce.status });
    const sight = seen(makeGroup('Running', running(1)));
    const { effects } = decide(observedIn({ pod, row: accepted, sight }));
    const [status, event] = effects;
    expect(status).toMatchObject({ status: { containerStatuses: [{ name: 'main', image: 'busybox:1.36' }] } });
    expect(event).toMatchObject({
      reason: 'ImageNotChanged',
      message:
        'spec.containers[0].image: the group was made with busybox:1.36 and keeps it; delete the pod to run busybox:2',
    });
    expect(effects).toHaveLength(2);
  });

  describe('the tier of a pod', () => {
    const tags = { ...makeGroup('Running', running(1)).tags, ...tierTags({ tier: 'T2', reason: 'spec.x and 1 more' }) };
    const said = { 'serverless-kubelet.io/tier': 'T2', 'serverless-kubelet.io/tier-reason': 'spec.x and 1 more' };
    const written = (
      pod: Pod,
      changes: Partial<GroupObservation>,
    ): Readonly<Record<string, string | null>> | 'no write' | undefined => {
      const sight = seen(makeGroup('Running', running(1), changes));
      const [effect] = decide(observedIn({ pod, row: accepted, sight })).effects.filter(
        ({ kind }) => kind === 'patch-status',
      );
      return effect?.kind === 'patch-status' ? effect.status.annotations : 'no write';
    };
    const withAnnotations = (annotations: Readonly<Record<string, string>>): Pod =>
      makePod({ metadata: { annotations } });

    it.each<[string, Pod, Partial<GroupObservation>, ReturnType<typeof written>]>([
      ['is in its annotations with the status that its group has', makePod(), { tags }, said],
      ['is there once', withAnnotations({ ...said, other: 'x' }), { tags }, undefined],
      [
        'is that of the group, whatever the pod brings',
        withAnnotations({ ...said, 'serverless-kubelet.io/tier': 'T1' }),
        { tags },
        { 'serverless-kubelet.io/tier': 'T2' },
      ],
      [
        'of a group without the agent is none',
        withAnnotations(said),
        {},
        { 'serverless-kubelet.io/tier': null, 'serverless-kubelet.io/tier-reason': null },
      ],
    ])('%s', (_, pod, changes, annotations) => expect(written(pod, changes)).toEqual(annotations));

    it('is no reason to write: an API server that drops it is not asked with each poll', () => {
      const sight = seen(makeGroup('Running', running(1), { tags }));
      const [first] = decide(observedIn({ pod: makePod(), row: accepted, sight })).effects.filter(
        ({ kind }) => kind === 'patch-status',
      );
      if (first?.kind !== 'patch-status') throw new Error('nothing was written');
      const { annotations: _, ...status } = first.status;
      expect(written(makePod({ status }), { tags })).toBe('no write');
    });
  });

  it('says that an ephemeral container is not started', () => {
    const pod = { ...makePod({ status: ranOnce.status }), rawSpec: { ephemeralContainers: [{ name: 'debug' }] } };
    const sight = seen(makeGroup('Running', running(1)));
    const { effects } = decide(observedIn({ pod, row: accepted, sight }));
    expect(effects.at(-1)).toMatchObject({
      kind: 'create-event',
      reason: 'FieldWithoutEffect',
      message: expect.stringContaining('spec.ephemeralContainers: a container can not be added'),
    });
  });
});

describe('needsPoll', () => {
  const ended = makePod({ status: { phase: 'Succeeded' } });
  const unnamed = makePod({ spec: { containers: [{ ...container(), image: 'Upper' }] } });
  const fault = { reason: 'InvalidImageName', message: 'm' };
  it.each([
    { it: 'an ended and settled pod costs no read', pod: ended, row: { settled: true }, poll: false },
    {
      it: 'an ended pod whose quota is needed is polled',
      pod: ended,
      row: { settled: true, freeing: true },
      poll: true,
    },
    { it: 'an ended pod that has not settled is polled once', pod: ended, row: {}, poll: true },
    { it: 'a pod that is gone is polled', pod: undefined, row: {}, poll: true },
    {
      it: 'unless we deleted its group ourselves',
      pod: undefined,
      row: { intent: { kind: 'deleted' as const, at: noon } },
      poll: false,
    },
    { it: 'a living pod is polled', pod: makePod(), row: {}, poll: true },
    { it: 'one whose image nobody can pull, too, at first', pod: unnamed, row: {}, poll: true },
    { it: 'and not only to be reported so again', pod: unnamed, row: { fault }, poll: false },
    {
      it: 'unless a PUT of before may have made a group',
      pod: unnamed,
      row: { fault, intent: { kind: 'open' as const, at: noon } },
      poll: true,
    },
    { it: 'a fixed one is polled before it is PUT', pod: makePod(), row: { fault }, poll: true },
  ])('$it', ({ pod, row, poll }) => expect(needsPoll({ pod, row: makeRow(pod ?? ended, row), facts })).toBe(poll));
});
