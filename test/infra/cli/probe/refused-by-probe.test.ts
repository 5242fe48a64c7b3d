/** What the containers of a probe say fails, through the command, what it keeps and the app, to the pod that is refused. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { doctorBy } from '../../../../infra/cli/doctor/command.ts';
import { explainCommand } from '../../../../infra/cli/explain/command.ts';
import { probeCommand } from '../../../../infra/cli/probe/command.ts';
import { createKnownProbes } from '../../../../shared/app/known-probes.ts';
import { probedClusters } from '../../../../shared/app/probed-clusters.ts';
import type { AssumptionId } from '../../../../shared/core/agent/assumptions.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { createMemoryProbeRecords } from '../../../fixtures/probe-records.ts';
import { agentSettings } from '../../../fixtures/settings.ts';
import { createWorld } from '../../../app/world.ts';
import type { World } from '../../../app/world.ts';
import { runOver } from '../status/world-context.ts';
import type { Surroundings } from '../status/world-context.ts';

/** What containers say where all is as it is assumed to be. */
const said: Readonly<Record<string, string>> = {
  'init.secret-before': '644 0:0',
  'init.names': 'resolved',
  'init.app': 'reached',
  'first.app': 'reached',
  'second.run': 'ran',
  'second.shared-mode': '777',
  'second.shared-mount': 'ext4 rw',
  'second.secret-mode': '400 1000:1001',
  'second.secret-mount': 'tmpfs ro',
  'second.hosts-added': '1',
  'second.capabilities': '00000000a80425fb',
  'second.cgroup': 'v2',
  'second.processes': '0',
  'again.run': 'ran',
  'again.hosts-added': '1',
  'again.init-runs': '1',
  'again.waited': '11',
  'again.neighbour': 'shared',
  'again.signal': 'TERM',
};

const line = (name: string, value: string): string => `sk-probe ${JSON.stringify({ name, value })}\n`;
const image = 'reg.example/busybox:1';

async function probed(change: Readonly<Record<string, string>>) {
  const lines = Object.entries({ ...said, ...change }).map(([name, value]) => line(name, value));
  const ends = ['init', 'first', 'again', 'second'].map((phase) => line('end', phase));
  const world = await createWorld({
    settings: agentSettings,
    provisioningMs: 0,
    images: { [image]: { log: [...lines, ...ends].join('') } },
  });
  const records = createMemoryProbeRecords();
  // The command waits by another clock than this world's.
  const get: typeof world.groups.get = (...call) => {
    world.now += 5_000;
    return world.groups.get(...call);
  };
  // This ARM takes the logs of a stopped group away.
  let last: Awaited<ReturnType<typeof world.groups.listLogs>> | undefined;
  const listLogs: typeof world.groups.listLogs = async (...call) => {
    const read = await world.groups.listLogs(...call);
    if (read.ok) last = read;
    return last ?? read;
  };
  const around = { probeRecords: records, groups: { ...world.groups, get, listLogs } };
  const shown = await runOver(world, probeCommand, ['--image', image, '--timeout', '8s'], around);
  return { world, records, shown };
}

/** The app as it is once it has read what was kept. */
async function informed(world: World, records: ReturnType<typeof createMemoryProbeRecords>): Promise<void> {
  const { AZURE_LOCATION: region } = world.settings;
  const known = createKnownProbes({ records, region, clock: world.deps.clock, log: world.deps.log });
  world.deps = { ...world.deps, clusters: probedClusters(world.deps.clusters, await known.read()) };
}

const config = { entrypoint: ['/entry'], cmd: [], env: {}, workingDir: '', user: '' };
const container = (more: JsonObject): JsonObject => ({ containers: [{ name: 'main', image: 'serves', ...more }] });
const aliases: JsonObject = { hostAliases: [{ ip: '10.1.2.3', hostnames: ['db'] }] };

const cases: readonly (readonly [AssumptionId, Readonly<Record<string, string>>, JsonObject, field: string])[] = [
  ['emptydir-runs', { 'second.run': 'Permission denied' }, aliases, 'spec.hostAliases'],
  ['hosts-shared', { 'second.hosts-added': '0' }, aliases, 'spec.hostAliases'],
  ['hosts-restart', { 'again.hosts-added': '0' }, aliases, 'spec.hostAliases'],
  [
    'main-app',
    { 'first.app': 'connection refused' },
    container({ startupProbe: { exec: { command: ['true'] } } }),
    'spec.containers[0].startupProbe',
  ],
  [
    'capabilities',
    { 'second.capabilities': '0000000000000000' },
    { securityContext: { runAsUser: 7 } },
    'spec.securityContext.runAsUser',
  ],
];

describe('what a probe’s containers find to fail', () => {
  it.each(cases)('%s: is kept, and a pod that needs it is refused by its field', async (id, change, spec, field) => {
    const { world, records, shown } = await probed(change);
    expect(shown.code).toBe(3);
    expect(records.probes[0]?.findings.filter(({ outcome }) => outcome === 'fails').map((one) => one.id)).toEqual([id]);
    world.imageRegistry.put('index.docker.io/library/serves', 'latest', {
      digest: `sha256:${'ab'.repeat(32)}`,
      config,
    });
    await informed(world, records);
    world.createPod('serves', { ...container({}), restartPolicy: 'Always', ...spec });
    await world.run(120);
    expect(world.pod()?.status).toMatchObject({
      phase: 'Failed',
      message: expect.stringMatching(
        new RegExp(`^Pod was rejected: ${field.replaceAll(/[[\].]/g, '\\$&')}: .*probe found that .* here \\(${id}\\)`),
      ),
    });
    expect(world.groups.names()).toEqual([]);
  });

  it('is nothing where all is as it is assumed to be: the same pods get their groups', async () => {
    const { world, records, shown } = await probed({});
    expect([shown.code, shown.stdout]).toEqual([0, expect.not.stringContaining('fails')]);
    world.imageRegistry.put('index.docker.io/library/serves', 'latest', {
      digest: `sha256:${'ab'.repeat(32)}`,
      config,
    });
    await informed(world, records);
    for (const [, , spec] of cases) {
      world.createPod('serves', { ...container({}), restartPolicy: 'Always', ...spec });
      await world.run(30);
      expect(world.groups.names()).toHaveLength(1);
      world.deletePod();
      await world.run(120);
    }
  });

  it('is in what doctor says of the installation', async () => {
    const { world, records } = await probed({ 'second.hosts-added': '0' });
    const doctor = doctorBy(() => Promise.resolve({ facts: { at: 'answered', status: 401 }, aheadSeconds: 1 }));
    const shown = await runOver(world, doctor, [], { probeRecords: records });
    const at = records.probes[0]?.at ?? '';
    expect(shown.stdout).toContain(
      `warning  probe: no subnet: westeurope, sku Standard, probed at ${at}: hosts-shared fails; unmeasured: address-inside, exec-word, exec-words, secret-size, liveness-restart. Refused there: hostAliases.`,
    );
    records.fault = { kind: 'denied', code: 'AuthorizationFailure', message: 'no right' };
    const unread = await runOver(world, doctor, [], { probeRecords: records });
    expect(unread.stdout).toContain(
      'warning  probe: What probes have found could not be read, and the app goes on without it',
    );
  });

  it('is in what explain says with the app, and in nothing that it says without', async () => {
    const { world, records } = await probed({ 'second.hosts-added': '0' });
    const file = join(mkdtempSync(join(tmpdir(), 'explain-')), 'pod.json');
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { ...container({}), ...aliases } };
    writeFileSync(file, JSON.stringify(pod));
    const source = { kind: 'azure', app: 'kubelet', resourceGroup: 'apps', subscription: undefined } as const;
    const explain = (around: Surroundings) => runOver(world, explainCommand, ['-f', file], around);
    const shown = await explain({ source, probeRecords: records });
    expect(shown).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(
        'refused   spec.hostAliases: probe found that /etc/hosts is not shared between containers here (hosts-shared)',
      ),
    });
    expect(shown.stdout).toContain(`Probed at ${records.probes[0]?.at ?? ''}: hosts-shared fails.`);
    const unprobed = await explain({ source, probeRecords: createMemoryProbeRecords() });
    expect([unprobed.code, unprobed.stdout]).toEqual([0, expect.stringContaining('Nothing was probed there, so')]);
    records.fault = { kind: 'transient', message: 'no answer' };
    const unread = await explain({ source, probeRecords: records });
    expect([unread.code, unread.stderr]).toEqual([0, expect.stringContaining('could not be read, and is left out')]);
    expect(await explain({ probeRecords: records })).toMatchObject({ code: 0, stderr: '' });
  });
});
