import { describe, expect, it } from 'vitest';
import { containerBody, createBench, groupBody, groupsPath, scripted } from './harness.ts';

const stateOf = async (bench: ReturnType<typeof createBench>, name = 'g'): Promise<string> =>
  (await bench.get(name)).body.properties.instanceView.state;

describe('D. read and list', () => {
  it('32 after success: Succeeded, Running, restartCount 0, no previousState', async () => {
    const bench = createBench();
    await bench.running('g');
    const { properties } = (await bench.get('g')).body;
    expect([properties.provisioningState, properties.instanceView.state]).toEqual(['Succeeded', 'Running']);
    const view = properties.containers[0]?.properties.instanceView;
    expect(view?.currentState).toEqual({ state: 'Running', startTime: '2026-01-01T00:00:15.000Z', detailStatus: '' });
    expect(view?.restartCount).toBe(0);
    expect(view).not.toHaveProperty('previousState');
  });

  it('33 events Pulling, Pulled, Started: second resolution, count 1, Normal, a digest stable per image', async () => {
    const bench = createBench();
    await bench.running('g');
    await bench.running('h');
    const { events } = await bench.container('g');
    const digest = /sha256:[0-9a-f]{64}/.exec(events[0]?.message ?? '')?.[0];
    expect(events).toMatchObject([
      {
        name: 'Pulling',
        message: `pulling image "alpine@${digest}"`,
        count: 1,
        type: 'Normal',
        firstTimestamp: '2026-01-01T00:00:04Z',
      },
      {
        name: 'Pulled',
        message: `Successfully pulled image "alpine@${digest}"`,
        firstTimestamp: '2026-01-01T00:00:07Z',
      },
      { name: 'Started', message: 'Started container', firstTimestamp: '2026-01-01T00:00:15Z' },
    ]);
    expect((await bench.container('h')).events[0]?.message).toBe(events[0]?.message);
  });

  it('34 LIST is GET without any instanceView', async () => {
    const bench = createBench();
    await bench.running('g');
    const { body: got } = await bench.get('g');
    const { body: list } = await bench.request('GET', groupsPath);
    expect(JSON.stringify(list)).not.toContain('instanceView');
    const bare = JSON.parse(JSON.stringify(got, (key, value: unknown) => (key === 'instanceView' ? undefined : value)));
    expect(list.value).toEqual([bare]);
  });

  it('35 LIST of an empty resource group is an empty list', async () => {
    const bench = createBench();
    await bench.put('g');
    const answer = await bench.request('GET', groupsPath.replace('/rg/', '/empty/'));
    expect(answer.body).toEqual({ value: [] });
  });

  it('36 pages follow nextLink on the request host and yield each group once, deletions in between included', async () => {
    const bench = createBench({ knobs: { pageSize: 2 } });
    for (const name of ['a', 'b', 'c', 'd', 'e']) await bench.put(name);
    const names: string[] = [];
    let path: string | undefined = groupsPath;
    while (path !== undefined) {
      const { body } = await bench.request('GET', path);
      names.push(...body.value.map((g) => g.name));
      if (names.length === 2) await bench.delete('a');
      expect(body.nextLink ?? 'https://arm.test/').toMatch(/^https:\/\/arm\.test\//);
      path = body.nextLink?.replace('https://arm.test', '');
    }
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('37 GETs vary by encoding and show the reads that remain', async () => {
    const bench = createBench();
    const first = await bench.request('GET', groupsPath);
    const second = await bench.request('GET', groupsPath);
    expect(first.headers['Vary']).toBe('Accept-Encoding');
    const name = 'x-ms-ratelimit-remaining-subscription-reads';
    expect(Number(second.headers[name])).toBe(Number(first.headers[name]) - 1);
  });
});

describe('E. lifecycle', () => {
  it('38 Never, exit 0: Terminated/Completed, group Succeeded, resource stays', async () => {
    const bench = createBench();
    await bench.running('g', scripted('Never', [{ runMs: 5000 }]));
    await bench.clock.advance(5000);
    expect((await bench.container('g')).currentState).toEqual({
      state: 'Terminated',
      startTime: '2026-01-01T00:00:15.000Z',
      exitCode: 0,
      finishTime: '2026-01-01T00:00:20.000Z',
      detailStatus: 'Completed',
    });
    expect(await stateOf(bench)).toBe('Succeeded');
    expect((await bench.get('g')).body.properties.provisioningState).toBe('Succeeded');
    expect(bench.runtime.sandboxes).toEqual([]);
  });

  it('39 Never, exit 2: Terminated/Error, group Failed, provisioning Succeeded', async () => {
    const bench = createBench();
    await bench.running('g', scripted('Never', [{ runMs: 10, exitCode: 2 }]));
    expect((await bench.container('g')).currentState).toMatchObject({
      state: 'Terminated',
      exitCode: 2,
      detailStatus: 'Error',
    });
    expect(await stateOf(bench)).toBe('Failed');
    expect((await bench.get('g')).body.properties.provisioningState).toBe('Succeeded');
  });

  it('39 out of memory: 137 and OOMKilled', async () => {
    const bench = createBench();
    await bench.running('g', scripted('Never', [{ runMs: 10, exitCode: 137, oomKilled: true }]));
    expect((await bench.container('g')).currentState).toMatchObject({ exitCode: 137, detailStatus: 'OOMKilled' });
  });

  it('40 OnFailure, exit 2 then 0: Waiting with back-off in between, then Completed', async () => {
    const bench = createBench();
    await bench.running('g', scripted('OnFailure', [{ runMs: 500, exitCode: 2 }, { runMs: 500 }]));
    const between = await bench.container('g');
    expect(between.currentState.state).toBe('Waiting');
    expect(between.currentState.detailStatus).toMatch(/^CrashLoopBackOff: Back-off 10s restarting failed/);
    expect(between).toMatchObject({ restartCount: 1, previousState: { state: 'Terminated', exitCode: 2 } });
    expect(await stateOf(bench)).toBe('Running');
    await bench.clock.advance(10_500);
    expect((await bench.container('g')).currentState).toMatchObject({ state: 'Terminated', detailStatus: 'Completed' });
    expect(await stateOf(bench)).toBe('Succeeded');
    expect(bench.core.state.journal.runs.all().map((r) => r.exitCode)).toEqual([2, 0]);
  });

  it('40 the back-off doubles up to its maximum', async () => {
    const bench = createBench();
    await bench.put('g', scripted('OnFailure', [{ runMs: 0, exitCode: 1 }]));
    await bench.clock.advance(3600_000);
    const starts = bench.core.state.journal.runs.all().map((r) => Date.parse(r.startedAt) / 1000);
    const gaps = starts.slice(1).map((at, i) => at - (starts[i] ?? 0));
    expect(gaps.slice(0, 7)).toEqual([10, 20, 40, 80, 160, 300, 300]);
  });

  it('41 Always, exit 0: Running again with restartCount 1 and previousState', async () => {
    const bench = createBench();
    await bench.running('g', scripted('Always', [{ runMs: 500 }, {}]));
    await bench.clock.advance(10_000);
    const view = await bench.container('g');
    expect(view).toMatchObject({ restartCount: 1, currentState: { state: 'Running' }, previousState: { exitCode: 0 } });
    expect(await stateOf(bench)).toBe('Running');
  });

  it('42 two containers: Running while one runs, Failed when one has failed', async () => {
    const bench = createBench();
    const containers = [
      containerBody('c', {}, [{ runMs: 100, exitCode: 1 }]),
      containerBody('d', {}, [{ runMs: 30_000 }]),
    ];
    await bench.running('g', groupBody({ containers }));
    expect(await stateOf(bench)).toBe('Running');
    await bench.clock.advance(30_000);
    expect(await stateOf(bench)).toBe('Failed');
  });

  it('43 init containers run in order, the others wait', async () => {
    const bench = createBench();
    const init = (name: string): object => ({
      name,
      properties: { image: 'alpine', command: ['script', JSON.stringify({ runs: [{ runMs: 5000 }] })] },
    });
    await bench.put('g', groupBody({ initContainers: [init('i1'), init('i2')] }));
    await bench.clock.advance(19_000);
    expect((await bench.container('g', 'i1')).currentState.state).toBe('Running');
    expect((await bench.container('g', 'i2')).currentState.state).toBe('Waiting');
    expect((await bench.container('g')).currentState).toEqual({ state: 'Waiting', detailStatus: 'PodInitializing' });
    await bench.clock.advance(60_000);
    const runs = bench.core.state.journal.runs.all();
    expect(runs.map((r) => r.container)).toEqual(['i1', 'i2', 'c']);
    expect(runs[0]?.finishedAt && runs[1] && runs[0].finishedAt <= runs[1].startedAt).toBe(true);
    expect((await bench.container('g', 'i2')).currentState).toMatchObject({
      state: 'Terminated',
      detailStatus: 'Completed',
    });
    expect(await stateOf(bench)).toBe('Running');
  });

  it('43 a failing init container under Never: group Failed, the others never started', async () => {
    const bench = createBench();
    const failing = {
      name: 'i',
      properties: { image: 'a', command: ['script', '{"runs":[{"runMs":1,"exitCode":7}]}'] },
    };
    await bench.put('g', groupBody({ initContainers: [failing] }));
    await bench.clock.advance(120_000);
    expect(await stateOf(bench)).toBe('Failed');
    expect(bench.core.state.journal.runs.all().map((r) => r.container)).toEqual(['i']);
    expect((await bench.container('g')).currentState.state).toBe('Waiting');
  });

  const livenessProbe = { exec: { command: ['x'] }, periodSeconds: 5, failureThreshold: 2 };
  it('44 45 a failed liveness probe: Unhealthy, Killing, then a restart', async () => {
    const bench = createBench();
    const containers = [containerBody('c', { livenessProbe }, [{ execExitCodes: [0, 1] }, {}])];
    await bench.running('g', groupBody({ containers, restartPolicy: 'Always' }));
    await bench.clock.advance(25_000);
    const view = await bench.container('g');
    expect(view.events).toContainEqual(expect.objectContaining({ name: 'Unhealthy', count: 2, type: 'Warning' }));
    const killing = view.events.find((e) => e.name === 'Killing');
    expect(killing?.message).toMatch(/^Killing container with id [0-9a-f]{64}\.$/);
    expect(view).toMatchObject({
      restartCount: 1,
      currentState: { state: 'Running' },
      previousState: { exitCode: 143 },
    });
  });

  it('44 under Never it is killed for good; an httpGet probe counts as well', async () => {
    const httpProbe = (): Promise<number> => Promise.resolve(500);
    const bench = createBench({ httpProbe });
    const probe = { httpGet: { path: '/h', port: 80 }, periodSeconds: 5, failureThreshold: 2 };
    await bench.running('g', groupBody({ containers: [containerBody('c', { livenessProbe: probe })] }));
    await bench.clock.advance(60_000);
    expect(await stateOf(bench)).toBe('Failed');
    expect((await bench.container('g')).restartCount).toBe(0);
  });

  it('46 an unpullable image, sync: 400 InaccessibleImage, nothing created', async () => {
    const bench = createBench({ images: { bad: { pullFault: { reason: 'not-found', message: 'not found' } } } });
    const answer = await bench.put('g', groupBody({ containers: [containerBody('c', { image: 'bad' })] }));
    expect([answer.status, answer.body.error.code]).toEqual([400, 'InaccessibleImage']);
    expect(answer.body.error.message).toBe(
      "The image 'bad' in container group 'g' is not accessible. Please check the image and registry credential.",
    );
    expect((await bench.get('g')).status).toBe(404);
  });

  it('46 a registry in trouble: 409 RegistryErrorResponse', async () => {
    const bench = createBench({ images: { bad: { pullFault: { reason: 'unavailable', message: 'x' } } } });
    const answer = await bench.put('g', groupBody({ containers: [containerBody('c', { image: 'bad' })] }));
    expect([answer.status, answer.body.error.code]).toEqual([409, 'RegistryErrorResponse']);
  });

  it('46 async: Waiting with Failed and growing BackOff events, Failed after 1800 s', async () => {
    const images = { bad: { pullFault: { reason: 'not-found', message: 'not found' } as const } };
    const bench = createBench({ images, knobs: { imageFaultMode: 'async' } });
    await bench.put('g', groupBody({ containers: [containerBody('c', { image: 'bad' })] }));
    await bench.clock.advance(120_000);
    const view = await bench.container('g');
    expect(view.currentState.state).toBe('Waiting');
    expect(view.events).toContainEqual(expect.objectContaining({ name: 'Failed', type: 'Warning' }));
    expect(view.events.find((e) => e.name === 'BackOff')?.count).toBeGreaterThan(2);
    await bench.clock.advance(1_680_000);
    expect((await bench.get('g')).body.properties.provisioningState).toBe('Failed');
  });

  it('a start that fails is an event and, under Never, the end', async () => {
    const bench = createBench();
    await bench.running('g', scripted('Never', [{ startFault: 'exec: "x": not found' }]));
    const view = await bench.container('g');
    expect(view.events.find((e) => e.name === 'Failed')?.message).toMatch(
      /^Error: Failed to start container c, Error response: exec/,
    );
    expect(await stateOf(bench)).toBe('Failed');
  });

  it('48 a platform kill: 7147 with a Killing event, also under Never', async () => {
    const bench = createBench();
    await bench.running('g');
    await bench.core.state.store.all()[0]?.life?.kill('c', 7147);
    await bench.clock.advance(0);
    const view = await bench.container('g');
    expect(view.currentState).toMatchObject({ state: 'Terminated', exitCode: 7147 });
    expect(view.events.map((e) => e.name)).toContain('Killing');
  });

  it('gitRepo volumes are mounted empty, and the group says so', async () => {
    const bench = createBench();
    const volumes = [
      { name: 'git', gitRepo: { repository: 'https://git.example/r' } },
      { name: 'e', emptyDir: {} },
    ];
    await bench.running('g', groupBody({ volumes }));
    const { events } = (await bench.get('g')).body.properties.instanceView;
    expect(events.map((e) => e.message)).toEqual(["The gitRepo volume 'git' is mounted empty by the emulator."]);
  });

  it.each<[string, object, string | undefined]>([
    ['is mounted', {}, undefined],
    ['of another key is denied', { storageAccountKey: 'other' }, 'Output: mount error(13): Permission denied'],
    ['that is not there fails', { shareName: 't' }, 'Output: mount error(2): No such file or directory'],
    ['of an unknown account, too', { storageAccountName: 'b' }, 'Output: mount error: could not resolve address'],
  ])('a share %s', async (_, changes, message) => {
    const bench = createBench({ knobs: { storageAccounts: [{ name: 'a', key: 'k', shares: ['s'] }] } });
    const azureFile = { shareName: 's', storageAccountName: 'a', storageAccountKey: 'k', ...changes };
    await bench.put('g', groupBody({ volumes: [{ name: 'v', azureFile }] }));
    await bench.clock.advance(60_000);
    const { provisioningState, instanceView } = (await bench.get('g')).body.properties;
    expect(provisioningState).toBe(message === undefined ? 'Succeeded' : 'Failed');
    expect(instanceView.events.find((e) => e.name === 'FailedMount')?.message).toBe(message);
  });
});
