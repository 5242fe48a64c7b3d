import { describe, expect, it } from 'vitest';
import { containerBody, createBench, groupBody, groupsPath, scripted, subscription } from './harness.ts';
import type { Answer } from './harness.ts';

const location = `/subscriptions/${subscription}/providers/Microsoft.ContainerInstance/locations/westeurope`;
const unlimited = { capacity: 1e6, refillPerSecond: 1e6 };
const generous = { armBuckets: { reads: unlimited, writes: unlimited, deletes: unlimited } };

describe('H. quotas, throttles, faults', () => {
  it.each([400, 409] as const)('77 one group too many: ContainerGroupQuotaReached (%s)', async (quotaStatus) => {
    const bench = createBench({ knobs: { quota: { containerGroups: 2, standardCores: 100 }, quotaStatus } });
    await bench.put('a');
    await bench.put('b');
    const answer = await bench.put('c');
    expect([answer.status, answer.body.error.code]).toEqual([quotaStatus, 'ContainerGroupQuotaReached']);
    expect(answer.body.error.message).toBe(
      "Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota 'ContainerGroups' exceeded in region 'West Europe'. Limit: '2', Usage: '2' Requested: '1'.",
    );
    await bench.delete('a');
    expect((await bench.put('c')).status).toBe(201);
  });

  it('77 82 cores are held until the containers have ended; usages say so', async () => {
    const bench = createBench({ knobs: { quota: { containerGroups: 100, standardCores: 4 } } });
    const big = (runs: object[]): object =>
      groupBody({ containers: [containerBody('c', { resources: { requests: { cpu: 3, memoryInGB: 1 } } }, runs)] });
    const usages = async (): Promise<unknown> =>
      (await bench.request('GET', `${location}/usages`)).body.value
        .slice(0, 2)
        .map((u) => [u['currentValue'], u['limit']]);
    await bench.running('a', big([{ runMs: 60_000 }]));
    expect(await usages()).toEqual([
      [1, 100],
      [3, 4],
    ]);
    const refused = await bench.put('b', big([]));
    expect(refused.body.error.message).toMatch(
      /'StandardCores' exceeded in region 'West Europe'\. Limit: '4', Usage: '3' Requested: '3'\.$/,
    );
    await bench.clock.advance(60_000);
    expect(await usages()).toEqual([
      [1, 100],
      [0, 4],
    ]);
    expect((await bench.put('b', big([]))).status).toBe(201);
  });

  it('78 the 101st PUT in 5 minutes: 429 ResourceRequestsThrottled, Retry-After as in the message', async () => {
    const bench = createBench({ knobs: { ...generous, quota: { containerGroups: 1000, standardCores: 1000 } } });
    for (let i = 0; i < 100; i++) await bench.put(`g${i}`, 'garbage counts as well' as never);
    await bench.clock.advance(60_000);
    const answer = await bench.put('more');
    expect([answer.status, answer.body.error.code]).toEqual([429, 'ResourceRequestsThrottled']);
    expect(answer.body.error.message).toBe(
      "Number of requests for action 'Microsoft.ContainerInstance/containerGroups/write' exceeded the limit of '100' for time interval '00:05:00'. Please try again after '240' seconds.",
    );
    expect(answer.headers['Retry-After']).toBe('240');
    await bench.clock.advance(240_000);
    expect((await bench.put('more')).status).toBe(201);
  });

  it('78 the 301st in an hour likewise', async () => {
    const bench = createBench({ knobs: { ...generous, resourceRequests: { per5Minutes: 1000, perHour: 300 } } });
    for (let i = 0; i < 300; i++) await bench.delete('g');
    const answer = await bench.delete('g');
    expect([answer.status, answer.headers['Retry-After']]).toEqual([429, '3600']);
    expect(answer.body.error.message).toContain("for time interval '01:00:00'");
  });

  const spend: [string, number, number, (b: ReturnType<typeof createBench>) => Promise<Answer>][] = [
    ['reads', 250, 25, (b) => b.request('GET', groupsPath)],
    ['writes', 200, 10, (b) => b.post('none', 'start')],
    ['deletes', 200, 10, (b) => b.request('DELETE', `${groupsPath}/none`)],
  ];
  it.each(spend)(
    '79 the bucket of %s: %i at once, then %i a second, per principal',
    async (_kind, capacity, refill, send) => {
      const both = [groupsRole('p1'), groupsRole('p2')];
      const bench = createBench({ principals: both, knobs: { resourceRequests: { per5Minutes: 1e6, perHour: 1e6 } } });
      for (let i = 0; i < capacity; i++) expect((await send(bench)).status).not.toBe(429);
      const refused = await send(bench);
      expect([refused.status, refused.headers['Retry-After']]).toEqual([429, '1']);
      await bench.clock.advance(1000);
      for (let i = 0; i < refill; i++) expect((await send(bench)).status).not.toBe(429);
      expect((await send(bench)).status).toBe(429);
      const token = bench.core.state.tokens.issue(both[1] ?? groupsRole('p2'), 'https://arm.test').token;
      expect((await bench.request('GET', groupsPath, { token })).status).toBe(200);
    },
  );

  it('80 no capacity at once: 409 ServiceUnavailable with the resources of the request', async () => {
    const bench = createBench();
    bench.fault({ method: 'PUT', capacity: 'sync' });
    const answer = await bench.put(
      'g',
      groupBody({ containers: [containerBody('c', { resources: { requests: { cpu: 4, memoryInGB: 16 } } })] }),
    );
    expect([answer.status, answer.body.error.code]).toEqual([409, 'ServiceUnavailable']);
    expect(answer.body.error.message).toBe(
      "The requested resource is not available in the location 'West Europe' at this moment. Please retry with a different resource request or in another location. Resource requested: '4' CPU '16' GB memory 'Linux' OS",
    );
    expect((await bench.put('g')).status).toBe(201);
  });

  it('81 faults by method and path, counted, before or after the effect', async () => {
    const bench = createBench();
    bench.fault({
      method: 'PUT',
      path: 'containerGroups/a\\?',
      status: 503,
      code: 'ServerTimeout',
      retryAfterSeconds: 7,
      count: 2,
      skip: 1,
    });
    expect((await bench.put('a')).status).toBe(201);
    const failed = await bench.put('a');
    expect([failed.status, failed.body.error.code, failed.headers['Retry-After']]).toEqual([503, 'ServerTimeout', '7']);
    expect((await bench.put('b')).status).toBe(201);
    expect((await bench.put('a')).status).toBe(503);
    expect((await bench.put('a')).status).toBe(409);
    bench.fault({ method: 'PUT', status: 500, afterEffect: true });
    expect((await bench.put('c')).status).toBe(500);
    expect((await bench.get('c')).status).toBe(200);
    bench.fault({ method: 'PUT', drop: 'after' });
    bench.fault({ method: 'PUT', drop: 'before' });
    expect((await bench.put('d')).raw.drop).toBe(true);
    expect((await bench.get('d')).status).toBe(200);
    expect((await bench.put('e')).raw.drop).toBe(true);
    expect((await bench.get('e')).status).toBe(404);
    bench.fault({ method: 'GET', body: '<html>', status: 200 });
    expect((await bench.get('a')).raw.rawBody).toBe('<html>');
    bench.fault({ method: 'GET', delayMs: 5000 });
    const slow = bench.get('a');
    await bench.clock.advance(5000);
    expect((await slow).status).toBe(200);
    expect(bench.core.state.journal.requests.all().at(-1)).toMatchObject({ durationMs: 5000, injected: true });
  });

  it('83 capabilities: location in upper case, Linux public and private, Windows', async () => {
    const { body } = await createBench().request('GET', `${location}/capabilities`);
    const rows = body.value.map((r) => [r['location'], r['osType'], r['ipAddressType']]);
    expect(rows).toEqual([
      ['WESTEUROPE', 'Linux', 'Public'],
      ['WESTEUROPE', 'Linux', 'Private'],
      ['WESTEUROPE', 'Windows', 'Public'],
    ]);
  });
});

describe('I. logs', () => {
  const lines = ['one', 'two', 'three'].map((line, i) => ({ atMs: i * 1000, line }));
  const logs = (bench: ReturnType<typeof createBench>, query = ''): Promise<Answer> =>
    bench.request('GET', `${groupsPath}/g/containers/c/logs${query}`);

  it.each([
    ['while it runs', {}],
    ['after it has ended', { runMs: 3000 }],
  ])('84 content, tail and timestamps %s', async (_label, run) => {
    const bench = createBench();
    await bench.running('g', scripted('Never', [{ ...run, logs: lines }]));
    await bench.clock.advance(10_000);
    expect((await logs(bench)).body).toEqual({ content: 'one\ntwo\nthree\n' });
    expect((await logs(bench, '?tail=2')).body.content).toBe('two\nthree\n');
    expect((await logs(bench, '?tail=1&timestamps=true')).body.content).toBe('2026-01-01T00:00:17.000000000Z three\n');
  });

  it('84 nothing written: an empty string', async () => {
    const bench = createBench();
    await bench.running('g');
    expect((await logs(bench)).body).toEqual({ content: '' });
  });

  it('85 before the start: 404 ContainerLogNotAvailable; an unknown container: 404', async () => {
    const bench = createBench();
    await bench.put('g');
    const answer = await logs(bench);
    expect([answer.status, answer.body.error.code]).toEqual([404, 'ContainerLogNotAvailable']);
    expect(answer.body.error.message).toBe(
      "Log of container 'c' in container group 'g' is not available yet. Please check container 'InstanceView' for more information or retry later.",
    );
    expect((await bench.request('GET', `${groupsPath}/g/containers/x/logs`)).status).toBe(404);
  });

  it('86 after the end at most 16 KB and 1000 lines, the newest', async () => {
    const bench = createBench();
    const many = Array.from({ length: 3000 }, (_, i) => ({ atMs: 0, line: `${i}` }));
    const wide = Array.from({ length: 300 }, (_, i) => ({ atMs: 0, line: `${i} ${'x'.repeat(200)}` }));
    await bench.running(
      'g',
      groupBody({
        containers: [
          containerBody('c', {}, [{ runMs: 1, logs: many }]),
          containerBody('d', {}, [{ runMs: 1, logs: wide }]),
        ],
      }),
    );
    const { content } = (await logs(bench)).body;
    expect(content.split('\n').length).toBeLessThanOrEqual(1001);
    expect(content.endsWith('2999\n')).toBe(true);
    const cut = (await bench.request('GET', `${groupsPath}/g/containers/d/logs`)).body.content;
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(16 * 1024);
    expect(cut).toMatch(/^\d+ x/);
  });

  it('86 while it runs at most 4 MB', async () => {
    const bench = createBench({ knobs: { logRetention: { runningBytes: 6, stoppedBytes: 6, stoppedLines: 9 } } });
    await bench.running('g', scripted('Never', [{ logs: lines }]));
    await bench.clock.advance(5000);
    expect((await logs(bench)).body.content).toBe('three\n');
  });

  it('87 a restarted container shows only its present instance', async () => {
    const bench = createBench();
    const runs = [{ runMs: 1, exitCode: 1, logs: [{ atMs: 0, line: 'old' }] }, { logs: [{ atMs: 0, line: 'new' }] }];
    await bench.running('g', scripted('OnFailure', runs));
    expect((await logs(bench)).body.content).toBe('old\n');
    await bench.clock.advance(15_000);
    expect((await logs(bench)).body.content).toBe('new\n');
  });
});

function groupsRole(name: string): {
  clientId: string;
  objectId: string;
  assignments: { actions: string[]; scope: string }[];
} {
  const assignments = [{ actions: ['*'], scope: `/subscriptions/${subscription}` }];
  return { clientId: name, objectId: `o-${name}`, assignments };
}
