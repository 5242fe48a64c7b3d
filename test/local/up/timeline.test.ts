import { describe, expect, it } from 'vitest';
import { describeTimeline, observe, untilShown } from '../../../infra/local/up/timeline.ts';
import type { Timeline } from '../../../infra/local/up/timeline.ts';

const sighting = { name: 'pi', uid: '1', isBound: false, isAccepted: false, phase: 'Pending', at: 100 };

describe('timelines', () => {
  it('keep the moment at which each stage was first seen', () => {
    const pods = new Map<string, Timeline>();
    observe(pods, sighting);
    observe(pods, { ...sighting, isBound: true, at: 200 });
    observe(pods, { ...sighting, isBound: true, isAccepted: true, at: 900 });
    observe(pods, { ...sighting, isBound: true, isAccepted: true, phase: 'Running', at: 2100 });
    observe(pods, { ...sighting, isBound: true, isAccepted: true, phase: 'Succeeded', at: 5100 });
    observe(pods, { ...sighting, isBound: true, isAccepted: true, phase: 'Succeeded', at: 9000 });
    const [pod] = pods.values();
    expect(pod === undefined ? '' : describeTimeline(pod).replace(/ +/g, ' ')).toBe(
      'pi created 0.1 s bound +0.1 PUT accepted +0.8 running +2.0 finished +5.0 Succeeded',
    );
  });
  it('wait for what a watch that lags has not shown, and not for ever', async () => {
    const pods = new Map<string, Timeline>();
    observe(pods, sighting);
    const administrator = { ask: () => Promise.resolve('Failed/Error/3') };
    setTimeout(() => observe(pods, { ...sighting, phase: 'Failed', at: 400 }), 50);
    await untilShown(pods, administrator);
    expect(pods.get('1')).toMatchObject({ phase: 'Failed', finished: 400 });
    await untilShown(pods, { ask: () => Promise.resolve('gone') }, performance.now() - 1);
  });
  it('report a pod from a later one of the same name', () => {
    const pods = new Map<string, Timeline>();
    observe(pods, sighting);
    observe(pods, { ...sighting, uid: '2', at: 300 });
    expect([...pods.values()].map((pod) => pod.created)).toEqual([100, 300]);
  });
});
