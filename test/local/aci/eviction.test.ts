import { describe, expect, it } from 'vitest';
import { answerAdmin } from '../../../infra/local/aci/admin.ts';
import type { ArmResponse } from '../../../infra/local/aci/json.ts';
import { containerBody, createBench, groupBody, groupsPath, scripted } from './harness.ts';
import type { Bench } from './harness.ts';

const evict = (bench: Bench, body: object): Promise<ArmResponse> =>
  answerAdmin(bench.core, {
    method: 'POST',
    url: '/_emulator/evict',
    headers: {},
    body: JSON.stringify(body),
    origin: 'http://admin',
  });
const spot = { priority: 'Spot' };
const stateOf = async (bench: Bench): Promise<readonly string[]> => {
  const { provisioningState, instanceView } = (await bench.get('g')).body.properties;
  return [provisioningState, instanceView.state];
};

describe('49 the eviction of a Spot group', () => {
  it.each(['Always', 'OnFailure', 'Never'] as const)('ends it Failed for good under %s', async (policy) => {
    const bench = createBench();
    await bench.running('g', scripted(policy, [{}], spot));
    expect((await evict(bench, { group: 'g' })).status).toBe(204);
    await bench.clock.advance(600_000);
    expect(await stateOf(bench)).toEqual(['Succeeded', 'Failed']);
    const view = await bench.container('g');
    expect(view).toMatchObject({ restartCount: 0, currentState: { state: 'Terminated', exitCode: 7147 } });
    expect(view.events.find(({ name }) => name === 'Killing')?.message).toMatch(
      /^Killing container with id [0-9a-f]{64}\.$/,
    );
    expect(bench.core.state.journal.runs.all()).toMatchObject([{ container: 'c', exitCode: 7147 }]);
    expect(bench.runtime.sandboxes).toEqual([]);
  });

  it('takes a container that waits for its next run with it, and leaves one that has ended alone', async () => {
    const bench = createBench();
    const containers = [
      containerBody('c', {}, [{ runMs: 1000, exitCode: 1 }]),
      containerBody('d', {}, [{ runMs: 1000 }]),
    ];
    await bench.running('g', groupBody({ ...spot, restartPolicy: 'OnFailure', containers }));
    await bench.clock.advance(5000);
    await evict(bench, { group: 'g', exitCode: 137 });
    await bench.clock.advance(600_000);
    expect(await bench.container('g')).toMatchObject({
      restartCount: 1,
      currentState: { state: 'Terminated', exitCode: 137 },
      previousState: { exitCode: 1 },
    });
    expect((await bench.container('g', 'd')).currentState).toMatchObject({ exitCode: 0, detailStatus: 'Completed' });
    expect(bench.core.state.journal.runs.all()).toHaveLength(2);
  });

  it('takes the logs along', async () => {
    const bench = createBench();
    await bench.running('g', scripted('Never', [{ logs: [{ atMs: 0, line: 'one' }] }], spot));
    await evict(bench, { group: 'g' });
    const logs = await bench.request('GET', `${groupsPath}/g/containers/c/logs`);
    expect([logs.status, logs.body.error.code]).toEqual([404, 'ContainerLogNotAvailable']);
  });

  it.each([
    ['the knob', { evictedState: 'Stopped' as const }, {}],
    ['the call', {}, { state: 'Stopped' }],
  ])('stops it where %s says so', async (_, knobs, call) => {
    const bench = createBench({ knobs });
    await bench.running('g', scripted('Always', [{}], spot));
    expect((await evict(bench, { group: 'g', ...call })).status).toBe(204);
    expect(await stateOf(bench)).toEqual(['Succeeded', 'Stopped']);
    expect((await bench.get('g')).body.properties.containers[0]?.properties).not.toHaveProperty('instanceView');
    expect(bench.runtime.sandboxes).toEqual([]);
  });

  it('leaves a group that can be started again and deleted', async () => {
    const bench = createBench();
    await bench.running('g', groupBody(spot));
    await evict(bench, { group: 'g' });
    expect((await bench.post('g', 'start')).status).toBe(204);
    await bench.clock.advance(20_000);
    expect(await stateOf(bench)).toEqual(['Succeeded', 'Running']);
    expect((await bench.delete('g')).status).toBe(200);
  });

  it('is refused of what is not Spot, not there, under way, or over', async () => {
    const bench = createBench();
    await bench.running('regular');
    expect((await evict(bench, { group: 'regular' })).status).toBe(409);
    expect((await evict(bench, { group: 'nobody' })).status).toBe(404);
    expect((await evict(bench, {})).status).toBe(400);
    await bench.put('g', groupBody(spot));
    expect((await evict(bench, { group: 'g' })).status).toBe(409);
    await bench.clock.advance(16_000);
    await evict(bench, { group: 'g' });
    expect((await evict(bench, { group: 'g' })).status).toBe(409);
  });
});
