import { describe, expect, it } from 'vitest';
import { containerBody, createBench, groupBody, groupsPath, scripted } from './harness.ts';

describe('F. stop, start, restart, delete, patch, update', () => {
  const address = { ipAddress: { type: 'Public', ports: [{ port: 80 }] } };

  it('50 stop: 204 without async header; Stopped, no container instanceView, same ip', async () => {
    const bench = createBench();
    await bench.running('g', groupBody(address));
    const before = (await bench.get('g')).body.properties.ipAddress.ip;
    const answer = await bench.post('g', 'stop');
    expect([answer.status, answer.raw.body]).toEqual([204, undefined]);
    expect(answer.headers).not.toHaveProperty('Azure-AsyncOperation');
    const { properties } = (await bench.get('g')).body;
    expect([properties.instanceView.state, properties.provisioningState]).toEqual(['Stopped', 'Succeeded']);
    expect(properties.containers[0]?.properties).not.toHaveProperty('instanceView');
    expect(properties.ipAddress.ip).toBe(before);
    expect(bench.core.state.journal.runs.all()).toMatchObject([{ exitCode: 143 }]);
    expect(bench.runtime.sandboxes).toEqual([]);
  });

  it('50 a container that ignores TERM is killed after the grace, and stop answers then', async () => {
    const bench = createBench();
    await bench.running('g', scripted('Never', [{ ignoresTerm: true }]));
    let answered = false;
    const stop = async (): Promise<void> => {
      await bench.post('g', 'stop');
      answered = true;
    };
    const stopping = stop();
    await bench.clock.advance(9999);
    expect(answered).toBe(false);
    expect((await bench.post('g', 'start')).status).toBe(409);
    await bench.clock.advance(1);
    await stopping;
    expect(bench.core.state.journal.runs.all()).toMatchObject([{ exitCode: 137 }]);
  });

  it('50 by the knob stop answers at once', async () => {
    const bench = createBench({ knobs: { stopMode: 'background' } });
    await bench.running('g', scripted('Never', [{ ignoresTerm: true }]));
    expect((await bench.post('g', 'stop')).status).toBe(204);
    expect((await bench.get('g')).body.properties.instanceView.state).toBe('Stopped');
  });

  it('51 stop of an ended group: 204, nothing changes', async () => {
    const bench = createBench();
    await bench.running('g', scripted('Never', [{ runMs: 1, exitCode: 3 }]));
    const before = (await bench.get('g')).body;
    expect((await bench.post('g', 'stop')).status).toBe(204);
    expect((await bench.get('g')).body).toEqual(before);
  });

  it('52 start: 204 with async header and no create counters; Running, another public ip, events old and new', async () => {
    const bench = createBench();
    await bench.running('g', groupBody(address));
    const before = (await bench.get('g')).body.properties.ipAddress.ip;
    await bench.post('g', 'stop');
    const answer = await bench.post('g', 'start');
    expect(answer.status).toBe(204);
    expect(answer.headers).toHaveProperty('Azure-AsyncOperation');
    expect(Object.keys(answer.headers).join(' ')).not.toContain('resource-requests');
    await bench.clock.advance(20_000);
    const { properties } = (await bench.get('g')).body;
    expect(properties.instanceView.state).toBe('Running');
    expect(properties.ipAddress.ip).not.toBe(before);
    const view = await bench.container('g');
    expect(view.restartCount).toBe(0);
    expect(view.events.map((e) => e.name)).toEqual(expect.arrayContaining(['Killing', 'Pulling', 'Started']));
    expect(view.events.find((e) => e.name === 'Started')?.count).toBe(2);
  });

  it('53 restart: 204 with async header, Updating first; same ip, restartCount 0, new startTime', async () => {
    const bench = createBench();
    await bench.running('g', groupBody(address));
    const before = (await bench.get('g')).body.properties;
    const answer = await bench.post('g', 'restart');
    expect(answer.status).toBe(204);
    expect((await bench.poll(answer)).body.status).toBe('Updating');
    await bench.clock.advance(10_000);
    const after = (await bench.get('g')).body.properties;
    expect((await bench.poll(answer)).body.status).toBe('Succeeded');
    expect(after.ipAddress.ip).toBe(before.ipAddress.ip);
    const view = after.containers[0]?.properties.instanceView;
    expect(view).toMatchObject({ restartCount: 0, currentState: { state: 'Running' } });
    expect(view?.currentState.startTime).not.toBe(before.containers[0]?.properties.instanceView.currentState.startTime);
    expect(bench.runtime.sandboxes).toHaveLength(1);
  });

  it.each(['stop', 'start', 'restart'] as const)('54 %s of an unknown group: 404', async (verb) => {
    const answer = await createBench().post('none', verb);
    expect([answer.status, answer.body.error.code]).toEqual([404, 'ResourceNotFound']);
  });

  it('55 DELETE: 200 with the last body; then 404, out of the list, nothing left running', async () => {
    const bench = createBench();
    await bench.running('g');
    const last = (await bench.get('g')).body;
    const answer = await bench.delete('g');
    expect([answer.status, answer.body]).toEqual([200, last]);
    expect((await bench.get('g')).status).toBe(404);
    expect((await bench.request('GET', groupsPath)).body.value).toEqual([]);
    await bench.clock.advance(0);
    expect(bench.runtime.sandboxes).toEqual([]);
  });

  it('56 DELETE of an unknown group: 204', async () => {
    const answer = await createBench().delete('none');
    expect([answer.status, answer.raw.body]).toEqual([204, undefined]);
  });

  it('57 by the knob DELETE is asynchronous: 202, Deleting, then 404', async () => {
    const bench = createBench({ knobs: { deleteMode: 'async' } });
    await bench.running('g');
    const answer = await bench.delete('g');
    expect(answer.status).toBe(202);
    expect((await bench.get('g')).body.properties.provisioningState).toBe('Deleting');
    await bench.clock.advance(5000);
    expect((await bench.get('g')).status).toBe(404);
    expect((await bench.poll(answer)).body.status).toBe('Succeeded');
  });

  it('58 PUT and DELETE carry the counters, falling from 299 and 99', async () => {
    const bench = createBench();
    const counters = (headers: Readonly<Record<string, string>>): (string | undefined)[] =>
      ['pt1h', 'pt5m'].map((w) => headers[`x-ms-ratelimit-remaining-subscription-resource-requests-${w}`]);
    expect(counters((await bench.put('a')).headers)).toEqual(['299', '99']);
    expect(counters((await bench.put('b')).headers)).toEqual(['298', '98']);
    expect(counters((await bench.delete('a')).headers)).toEqual(['299', '99']);
    expect(counters((await bench.get('b')).headers)).toEqual([undefined, undefined]);
  });

  it('59 PATCH replaces the tags, answers the full body and touches nothing else', async () => {
    const bench = createBench();
    await bench.running('g');
    const before = (await bench.get('g')).body;
    const body = { tags: { a: 'b' }, location: 'eastus', properties: { osType: 'Windows' } };
    const answer = await bench.request('PATCH', `${groupsPath}/g`, { body });
    expect([answer.status, answer.body]).toEqual([200, { ...before, tags: { a: 'b' } }]);
    expect(bench.core.state.journal.runs.all()).toHaveLength(1);
  });

  it('60 PUT with another image: containers restart with a new startTime', async () => {
    const bench = createBench();
    await bench.running('g');
    const before = (await bench.container('g')).currentState.startTime;
    const answer = await bench.running('g', groupBody({ containers: [containerBody('c', { image: 'alpine:4' })] }));
    expect([200, 201]).toContain(answer.status);
    expect(answer.headers).toHaveProperty('Azure-AsyncOperation');
    expect((await bench.container('g')).currentState.startTime).not.toBe(before);
    expect(bench.runtime.sandboxes).toHaveLength(1);
  });

  const subnetIds = [
    { id: '/subscriptions/x/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/s' },
  ];
  const anywhere = [{ clientId: 'a', objectId: 'o', assignments: [{ actions: ['*'], scope: '/subscriptions' }] }];
  const twoCores = [containerBody('c', { resources: { requests: { cpu: 2, memoryInGB: 1.5 } } })];
  it.each([
    ['cpu', { containers: twoCores }],
    ['memory', { containers: [containerBody('c', { resources: { requests: { cpu: 1, memoryInGB: 2 } } })] }],
    ['osType', { osType: 'Windows' }],
    ['restartPolicy', { restartPolicy: 'Always' }],
    ['subnet', { subnetIds }],
  ])('61 PUT changing %s: 400 InvalidContainerGroupUpdate, old group untouched', async (_label, change) => {
    const bench = createBench({ principals: anywhere });
    await bench.running('g');
    const before = (await bench.get('g')).body;
    const answer = await bench.put('g', groupBody(change));
    expect([answer.status, answer.body.error.code]).toEqual([400, 'InvalidContainerGroupUpdate']);
    expect(answer.body.error.message).toBe(
      "The updates on container group 'g' are invalid. If you are going to update the os type, restart policy, network profile, CPU, memory or GPU resources for a container group, you must delete it first and then create a new one.",
    );
    expect((await bench.get('g')).body).toEqual(before);
  });

  it('62 PUT, start, restart and stop while transitioning: 409; later they succeed', async () => {
    const bench = createBench();
    await bench.put('g');
    for (const at of [0, 5000, 5000]) {
      await bench.clock.advance(at);
      const answers = [
        await bench.put('g'),
        await bench.post('g', 'start'),
        await bench.post('g', 'restart'),
        await bench.post('g', 'stop'),
      ];
      for (const answer of answers) {
        expect([answer.status, answer.body.error.code]).toEqual([409, 'ContainerGroupTransitioning']);
        expect(answer.body.error.message).toBe("The container group 'g' is still transitioning, please retry later.");
      }
    }
    await bench.clock.advance(10_000);
    expect((await bench.post('g', 'stop')).status).toBe(204);
  });

  it.each([
    ['accept', 200],
    ['conflict', 409],
  ] as const)('62 DELETE while transitioning: %s by the knob', async (deleteWhileTransitioning, status) => {
    const bench = createBench({ knobs: { deleteWhileTransitioning } });
    await bench.put('g');
    expect((await bench.delete('g')).status).toBe(status);
    await bench.clock.advance(60_000);
    expect(bench.runtime.sandboxes).toHaveLength(status === 200 ? 0 : 1);
    expect(bench.core.state.journal.runs.all()).toHaveLength(status === 200 ? 0 : 1);
  });

  it('63 the same name in another location: 409 InvalidResourceLocation', async () => {
    const bench = createBench();
    await bench.running('g');
    const answer = await bench.put('g', groupBody({}, { location: 'eastus' }));
    expect([answer.status, answer.body.error.code]).toEqual([409, 'InvalidResourceLocation']);
  });

  it.each([
    [true, 201],
    [false, 400],
  ])(
    '64 an ended group takes a changed cpu as a new deployment (knob %s)',
    async (terminatedGroupsAcceptAnyUpdate, status) => {
      const bench = createBench({ knobs: { terminatedGroupsAcceptAnyUpdate } });
      await bench.running('g', scripted('Never', [{ runMs: 1 }]));
      expect((await bench.put('g', groupBody({ containers: twoCores }))).status).toBe(status);
    },
  );

  it('65 the same PUT twice restarts the containers', async () => {
    const bench = createBench();
    await bench.running('g');
    await bench.running('g');
    expect(bench.core.state.journal.runs.all()).toMatchObject([{ exitCode: 143 }, { exitCode: undefined }]);
  });

  it('deleting at any moment of provisioning, stopping or restarting leaves no sandbox', async () => {
    for (let second = 0; second <= 40; second++) {
      const bench = createBench({
        images: { slow: { pullMs: 500, startMs: 700 } },
        knobs: { imageFaultMode: 'async' },
      });
      await bench.put('g', groupBody({ containers: [containerBody('c', { image: 'slow' })] }));
      await bench.clock.advance(Math.min(second, 18) * 1000);
      if (second > 18) await bench.post('g', second % 2 === 0 ? 'restart' : 'start');
      await bench.clock.advance(Math.max(0, second - 18) * 1000);
      await bench.delete('g');
      await bench.clock.advance(60_000);
      expect(bench.runtime.sandboxes, `deleted at ${second} s`).toEqual([]);
      const open = bench.core.state.journal.runs.all().filter((r) => r.finishedAt === undefined);
      expect(open, `deleted at ${second} s`).toEqual([]);
    }
  });
});
