import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Result } from '../../shared/core/fault.ts';
import type { GroupBody } from '../../shared/core/group/group.ts';
import type { ContainerGroups } from '../../shared/ports/container-groups.ts';

/** Images that the implementation under test must know. */
export const suiteImages = {
  /** Runs until stopped, and says one thing. */
  server: 'suite/server',
  /** Writes `one`, `two`, `three`, ends after 5 s with 0. */
  done: 'suite/done',
  /** Ends after 5 s with 3. */
  fails: 'suite/fails',
  /** Ends after 2 s with 3, and when it is run again goes on until it is stopped. */
  failsOnce: 'suite/fails-once',
  /** Ends after 10 s with 0; for init containers. */
  prepares: 'suite/prepares',
} as const;

export interface GroupsUnderTest {
  readonly groups: ContainerGroups;
  /** Lets ARM's time pass. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

const provisionMs = 30_000;
const secrets = ['planted-env-secret', 'planted-password', Buffer.from('planted-file').toString('base64')];

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.fault.kind}: ${result.fault.message}`);
  return result.value;
}

const faultOf = <T>(result: Result<T>): string =>
  result.ok ? 'ok' : `${result.fault.kind}${'code' in result.fault ? ` ${result.fault.code}` : ''}`;

export function groupBody(image: string, changes: Partial<GroupBody> = {}): GroupBody {
  return {
    location: 'westeurope',
    tags: { 'kubernetes-pod-uid': 'uid-1', owner: 'suite' },
    containers: [
      {
        name: 'main',
        image,
        environmentVariables: [
          { name: 'PLAIN', value: '' },
          { name: 'SECRET', secureValue: 'planted-env-secret' },
        ],
        volumeMounts: [
          { name: 'scratch', mountPath: '/scratch' },
          { name: 'files', mountPath: '/files', readOnly: true },
        ],
        ports: [],
        resources: { requests: { cpu: 1.5, memoryInGB: 1.5 }, limits: { cpu: 1.5 } },
      },
    ],
    initContainers: [],
    restartPolicy: 'Never',
    imageRegistryCredentials: [{ server: 'registry.test', username: 'u', password: 'planted-password' }],
    volumes: [
      { name: 'scratch', emptyDir: {} },
      { name: 'files', secret: { key: Buffer.from('planted-file').toString('base64') } },
    ],
    ...changes,
  };
}

export function describeContainerGroups(
  name: string,
  open: () => Promise<GroupsUnderTest>,
  { hasStreams }: { readonly hasStreams: boolean } = { hasStreams: true },
): void {
  describe(`container groups: ${name}`, () => {
    let test: GroupsUnderTest;
    let groups: ContainerGroups;
    const signal = new AbortController().signal;
    beforeEach(async () => {
      test = await open();
      groups = test.groups;
    });
    afterEach(async () => {
      await test.close();
    });
    const create = async (group: string, body: GroupBody) => value(await groups.createOrUpdate(group, body, signal));

    it('has nothing at first, and deletes what is not there', async () => {
      expect(value(await groups.list(signal))).toEqual([]);
      expect(faultOf(await groups.get('a', signal))).toBe('not-found ResourceNotFound');
      expect(value(await groups.delete('a', signal))).toBe('absent');
      expect(faultOf(await groups.stop('a', signal))).toBe('not-found ResourceNotFound');
    });

    it('shows a group from its PUT to its running', async () => {
      await create('a', groupBody(suiteImages.server));
      const pending = value(await groups.get('a', signal));
      expect(pending).toMatchObject({ name: 'a', provisioningState: 'Pending', state: 'Pending' });
      expect(pending.containers[0]).not.toHaveProperty('instanceView');
      await test.advance(provisionMs);
      const running = value(await groups.get('a', signal));
      expect(running).toMatchObject({ provisioningState: 'Succeeded', state: 'Running', restartPolicy: 'Never' });
      expect(running.tags).toEqual({ 'kubernetes-pod-uid': 'uid-1', owner: 'suite' });
      expect(running.containers[0]).toMatchObject({
        name: 'main',
        image: suiteImages.server,
        instanceView: {
          restartCount: 0,
          currentState: { state: 'Running', startTime: expect.stringMatching(/^\d{4}-.*Z$/) },
        },
      });
    });

    it('lists names, tags and cores, without state', async () => {
      await create('a', groupBody(suiteImages.server));
      await create('b', groupBody(suiteImages.server, { tags: {} }));
      const listed = value(await groups.list(signal));
      expect(listed.toSorted((x, y) => x.name.localeCompare(y.name))).toEqual([
        { name: 'a', tags: { 'kubernetes-pod-uid': 'uid-1', owner: 'suite' }, provisioningState: 'Pending', cpu: 1.5 },
        { name: 'b', tags: {}, provisioningState: 'Pending', cpu: 1.5 },
      ]);
    });

    it('never shows a secret again', async () => {
      await create('a', groupBody(suiteImages.server));
      await test.advance(provisionMs);
      const seen = JSON.stringify([value(await groups.get('a', signal)), value(await groups.list(signal))]);
      for (const secret of secrets) expect(seen).not.toContain(secret);
    });

    it('refuses a second PUT and a stop while the group is in transition', async () => {
      await create('a', groupBody(suiteImages.server));
      const again = await groups.createOrUpdate('a', groupBody(suiteImages.server), signal);
      expect(faultOf(again)).toBe('conflict ContainerGroupTransitioning');
      expect(faultOf(await groups.stop('a', signal))).toBe('conflict ContainerGroupTransitioning');
    });

    it.each([
      [suiteImages.done, 0, 'Completed', 'Succeeded'],
      [suiteImages.fails, 3, 'Error', 'Failed'],
    ])('shows how %s ended: %i, %s', async (image, exitCode, detailStatus, state) => {
      await create('a', groupBody(image));
      await test.advance(provisionMs + 10_000);
      const ended = value(await groups.get('a', signal));
      expect(ended).toMatchObject({ provisioningState: 'Succeeded', state });
      expect(ended.containers[0]?.instanceView?.currentState).toMatchObject({
        state: 'Terminated',
        exitCode,
        detailStatus,
      });
      expect(faultOf(await groups.stop('a', signal))).toBe('ok');
      expect(value(await groups.get('a', signal)).containers[0]?.instanceView?.currentState).toMatchObject({
        exitCode,
      });
    });

    it('runs what failed again, counts it, and shows the run before', async () => {
      await create('a', groupBody(suiteImages.failsOnce, { restartPolicy: 'OnFailure' }));
      await test.advance(provisionMs + 20_000);
      const seen = value(await groups.get('a', signal));
      expect(seen).toMatchObject({ provisioningState: 'Succeeded', state: 'Running' });
      expect(seen.containers[0]?.instanceView).toMatchObject({
        restartCount: 1,
        currentState: { state: 'Running' },
        previousState: { state: 'Terminated', exitCode: 3, detailStatus: 'Error' },
      });
    });

    it('waits longer and longer between two runs, and counts the coming one already', async () => {
      await create('a', groupBody(suiteImages.fails, { restartPolicy: 'OnFailure' }));
      // Runs of 5 s, back-offs of 10, 20, 40 s.
      await test.advance(provisionMs + 60_000);
      const seen = value(await groups.get('a', signal));
      expect(seen.state).toBe('Running');
      expect(seen.containers[0]?.instanceView).toMatchObject({
        restartCount: 3,
        currentState: { state: 'Waiting', detailStatus: expect.stringMatching(/^CrashLoopBackOff/) },
        previousState: { state: 'Terminated', exitCode: 3 },
      });
    });

    const init = (image: string) => [{ name: 'init', image, environmentVariables: [], volumeMounts: [] }];

    it('is being created while an init container runs, and can not be stopped', async () => {
      await create('a', groupBody(suiteImages.server, { initContainers: init(suiteImages.prepares) }));
      await test.advance(20_000);
      const creating = value(await groups.get('a', signal));
      expect(creating).toMatchObject({ provisioningState: 'Creating', state: 'Pending' });
      expect(creating.initContainers[0]?.instanceView?.currentState?.state).toBe('Running');
      expect(creating.containers[0]?.instanceView?.currentState?.state).toBe('Waiting');
      expect(faultOf(await groups.stop('a', signal))).toBe('conflict ContainerGroupTransitioning');
      await test.advance(provisionMs);
      const running = value(await groups.get('a', signal));
      expect(running).toMatchObject({ provisioningState: 'Succeeded', state: 'Running' });
      expect(running.initContainers[0]?.instanceView?.currentState).toMatchObject({ state: 'Terminated', exitCode: 0 });
    });

    it('ends with an init container that failed, and starts nothing else', async () => {
      await create('a', groupBody(suiteImages.server, { initContainers: init(suiteImages.fails) }));
      await test.advance(provisionMs + 20_000);
      const seen = value(await groups.get('a', signal));
      expect(seen).toMatchObject({ provisioningState: 'Succeeded', state: 'Failed' });
      expect(seen.initContainers[0]?.instanceView?.currentState).toMatchObject({ state: 'Terminated', exitCode: 3 });
      expect(seen.containers[0]?.instanceView?.currentState?.state).toBe('Waiting');
    });

    it('erases the instance view by a stop', async () => {
      await create('a', groupBody(suiteImages.server));
      await test.advance(provisionMs);
      expect(faultOf(await groups.stop('a', signal))).toBe('ok');
      await test.advance(provisionMs);
      const stopped = value(await groups.get('a', signal));
      expect(stopped.state).toBe('Stopped');
      expect(stopped.containers[0]).not.toHaveProperty('instanceView');
    });

    it('deletes for good', async () => {
      await create('a', groupBody(suiteImages.server));
      await test.advance(provisionMs);
      expect(value(await groups.delete('a', signal))).toBe('deleted');
      expect(faultOf(await groups.get('a', signal))).toBe('not-found ResourceNotFound');
      expect(value(await groups.list(signal))).toEqual([]);
      expect(value(await groups.delete('a', signal))).toBe('absent');
    });

    it('gives logs once the container has started, all or the last lines', async () => {
      await create('a', groupBody(suiteImages.done));
      const request = { group: 'a', container: 'main', timestamps: false };
      expect(faultOf(await groups.listLogs(request, signal))).toBe('not-found ContainerLogNotAvailable');
      await test.advance(provisionMs + 10_000);
      expect(value(await groups.listLogs(request, signal))).toBe('one\ntwo\nthree\n');
      expect(value(await groups.listLogs({ ...request, tail: 2 }, signal))).toBe('two\nthree\n');
    });

    it('has an average of each whole minute that a container ran, late, and of another time none', async () => {
      await create('a', groupBody(suiteImages.server));
      await test.advance(provisionMs);
      const view = value(await groups.get('a', signal)).containers[0]?.instanceView;
      const startedAt = Date.parse(view?.currentState?.startTime ?? '');
      const window = { fromMs: startedAt, toMs: startedAt + 600_000 };
      expect(value(await groups.listMetrics('a', window, signal)).get('main') ?? []).toEqual([]);
      await test.advance(600_000);
      const minutes = value(await groups.listMetrics('a', window, signal)).get('main') ?? [];
      expect(minutes.length).toBeGreaterThanOrEqual(5);
      expect(minutes.map(({ atMs }) => atMs - (minutes[0]?.atMs ?? 0))).toEqual(
        minutes.map((_, index) => index * 60_000),
      );
      for (const { atMs, cpuMillicores, memoryBytes } of minutes) {
        expect(atMs % 60_000).toBe(0);
        expect(cpuMillicores).toBeGreaterThanOrEqual(0);
        expect(memoryBytes).toBeGreaterThan(0);
      }
      const early = { fromMs: startedAt - 600_000, toMs: startedAt - 300_000 };
      expect(value(await groups.listMetrics('a', early, signal)).get('main') ?? []).toEqual([]);
      expect(faultOf(await groups.listMetrics('none', window, signal))).toBe('not-found ResourceNotFound');
    });

    it.skipIf(!hasStreams)(
      'opens sessions with a container over TLS, each with a password of its own; of one that has ended too',
      async () => {
        const target = { group: 'a', container: 'main' };
        const shell = { ...target, command: '/bin/sh', terminalSize: { columns: 100, rows: 30 } };
        expect(faultOf(await groups.exec(shell, signal))).toMatch(/^not-found /);
        await create('a', groupBody(suiteImages.done));
        await test.advance(provisionMs + 10_000);
        const opened = [value(await groups.exec(shell, signal)), value(await groups.attach(target, signal))];
        for (const { webSocketUri, password } of opened) {
          expect(webSocketUri).toMatch(/^wss:\/\/[^/]+\//);
          expect(password).not.toBe('');
        }
        expect(new Set(opened.map(({ password }) => password)).size).toBe(2);
      },
    );

    it('says how an operation went, and what the region has left', async () => {
      const { operationUrl } = await create('a', groupBody(suiteImages.server));
      await test.advance(provisionMs);
      expect(value(await groups.getOperation(operationUrl ?? '', signal)).status).toBe('Succeeded');
      const usages = value(await groups.listUsages(signal));
      expect(usages.find((usage) => usage.name === 'ContainerGroups')).toEqual({
        name: 'ContainerGroups',
        current: 1,
        limit: 100,
      });
      expect(usages.map((usage) => usage.name)).toContain('StandardCores');
    });

    it('answers capacity when the quota is used up, and creates nothing', async () => {
      const large = groupBody(suiteImages.server);
      const [container] = large.containers;
      if (container === undefined) throw new Error('the body has a container');
      const resources = { requests: { cpu: 30, memoryInGB: 16 } };
      for (const group of ['a', 'b', 'c']) await create(group, { ...large, containers: [{ ...container, resources }] });
      const fourth = await groups.createOrUpdate('d', { ...large, containers: [{ ...container, resources }] }, signal);
      expect(faultOf(fourth)).toBe('capacity ContainerGroupQuotaReached');
      expect(faultOf(await groups.get('d', signal))).toBe('not-found ResourceNotFound');
    });

    it('does nothing once its time is over', async () => {
      const result = await groups.createOrUpdate('a', groupBody(suiteImages.server), AbortSignal.abort());
      expect(faultOf(result)).toBe('transient');
      expect(value(await groups.list(signal))).toEqual([]);
    });
  });
}
